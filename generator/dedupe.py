"""Repeats and contradictions: what was asked before, in the same, nearly the same or other words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from doceo.core.config import Gate, GateConfig
from doceo.core.records import Pair, Verdict
from doceo.text.terms import shingles, terms
from generator.contradiction import agreeing, disagreement, substance, told_apart
from generator.semantic import VectorIndex
from generator.shingles import ShingleIndex

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

GATES: tuple[Gate, ...] = ("exact", "near", "semantic", "contradiction")
_CONTEXT = 160
"""Characters of the last turns of a conversation that tell its question from the same words elsewhere."""


def asked(pair: Pair) -> str:
    """Return the text that stands for a pair's question: behind the last turns of its conversation, where it has one.

    It is what is compared, and what a vector given to `Repeats` has to be made of.
    """
    return "\n".join([*(turn.content[-_CONTEXT:] for turn in pair.history[-2:]), pair.question])


class _Read(NamedTuple):
    """A question as it is compared: its words, their shingles, and what it asks in substance."""

    worded: tuple[str, ...]
    shingles: frozenset[str]
    meant: tuple[str, ...]


@lru_cache(maxsize=256)
def _read(question: str) -> _Read:
    """Read a question once for its verdict and for being remembered."""
    worded = terms(question)
    return _Read(worded, shingles(worded), substance(question))


@dataclass(frozen=True, slots=True)
class _Match:
    """An accepted pair whose question is close to a new one: by which checks, how near, and whether it is the same."""

    number: int
    seen: tuple[tuple[Gate, float], ...]
    same: bool


class Repeats:
    """The questions accepted so far, and whether a new one repeats or contradicts one of them.

    A pair repeats another where the words are the same (`exact`), or where the question is nearly the same by words
    (`near`) or vectors (`semantic`) and the answer agrees. Questions that differ in a figure, a name, a negation or
    an opposite are no repeats, however close. The same question in substance with an answer that excludes the other
    is a `contradiction`: neither stays, nor does a third of the kind.

    Args:
        config: Where the lines are drawn.
        gates: The checks that run, of exact, near, semantic, contradiction; others are ignored.
        against: Questions that no pair may ask again (`against`): in the same words, or nearly by words or vectors.
        against_vectors: Their unit vectors, shape (len(against), dimensions), where there are any.
    """

    def __init__(
        self,
        config: GateConfig | None = None,
        gates: frozenset[str] = frozenset(GATES),
        *,
        against: Sequence[str] = (),
        against_vectors: NDArray[np.float32] | None = None,
    ) -> None:
        self._config, self._gates = config or GateConfig(), gates
        self._pairs: list[Pair] = []
        self._numbers: dict[str, int] = {}
        self._worded: dict[tuple[str, ...], int] = {}
        self._meant: dict[tuple[str, ...], list[int]] = {}
        self._facts: dict[tuple[str, ...], int] = {}
        self._near = ShingleIndex(self._config.near)
        self._vectors = VectorIndex(min(self._config.semantic, self._config.contradiction))
        self._embedded: list[int] = []
        self._against = _Against(self._config, against, against_vectors)
        self._gone: set[int] = set()
        self._contested: set[int] = set()
        self._retracted: list[str] = []

    def verdict(
        self,
        pair: Pair,
        vector: NDArray[np.float32] | None = None,
        *,
        rewording_of: Pair | None = None,
        grounded: bool = True,
    ) -> Verdict | None:
        """Return why a pair is a repeat or a contradiction, or None.

        Args:
            pair: A new pair.
            vector: Unit vector of `asked(pair)`; without one, vectors play no part.
            rewording_of: The pair whose fact is asked again on purpose: it may be repeated, but not in its words.
            grounded: False where the answer is refused anyway for its evidence: such a one contradicts nobody.
        """
        self._retracted = []
        if found := self._against.verdict(pair, vector):
            return found
        matches = self._matches(asked(pair), vector, rewording_of)
        contradicts = "contradiction" in self._gates and grounded
        if contradicts and (found := self._contradiction(pair, matches, rewording_of)):
            return found
        for match in matches:
            if match.number not in self._contested and (found := self._repeat(pair, match)):
                return found
        if rewording_of is None and "near" in self._gates and (fact := _fact(pair)):
            same = self._facts.get(fact)
            if same is not None and same not in self._gone and same not in self._contested:
                return _refused("near", f"same fact as {self._pairs[same].id}")
        return None

    def retracted(self) -> list[str]:
        """Return the ids of the accepted pairs that fell with the last verdict, in the order of their acceptance."""
        return list(self._retracted)

    def add(self, pair: Pair, vector: NDArray[np.float32] | None = None) -> None:
        """Remember an accepted pair; `vector` as in `verdict`."""
        number, read = len(self._pairs), _read(asked(pair))
        self._pairs.append(pair)
        self._numbers[pair.id] = number
        self._worded[read.worded] = number
        self._meant.setdefault(read.meant, []).append(number)
        if fact := _fact(pair):
            self._facts[fact] = number
        self._near.add(read.shingles)
        if vector is not None:
            self._embedded.append(number)
            self._vectors.add(vector[None, :])

    def forget(self, pair_id: str) -> None:
        """Let an accepted pair that another check has refused since stand in nobody's way.

        One that fell by a contradiction goes on to keep its question out.
        """
        if (number := self._numbers.get(pair_id)) is not None and number not in self._contested:
            self._gone.add(number)

    def _matches(self, question: str, vector: NDArray[np.float32] | None, rewording_of: Pair | None) -> list[_Match]:
        """Return the accepted pairs with a close question: the same words first, then the same in substance."""
        read = _read(question)
        meant = self._meant.get(read.meant, ())
        near = dict(self._near.query(read.shingles))
        cosines = {} if vector is None else dict(self._vectors.query(vector[None, :])[0])
        cosines = {self._embedded[place]: cosine for place, cosine in cosines.items()}
        exact = self._worded.get(read.worded)
        own = None if rewording_of is None else self._numbers.get(rewording_of.id)
        found = []
        for number in {*near, *cosines, *meant} - self._gone - ({own} - {exact}):
            seen: list[tuple[Gate, float]] = [("exact", 1.0)] if number == exact else []
            if number in near or number in meant:
                seen.append(("near", near.get(number, 1.0)))
            cosine = cosines.get(number, 0.0)
            if cosine >= self._config.semantic:
                seen.append(("semantic", cosine))
            same = number in meant or (
                cosine >= self._config.contradiction
                and substance(question, loose=True) == substance(asked(self._pairs[number]), loose=True)
            )
            found.append(_Match(number, tuple(seen), same))
        return sorted(found, key=lambda match: (match.number != exact, not match.same, match.number))

    def _contradiction(self, pair: Pair, matches: Sequence[_Match], rewording_of: Pair | None) -> Verdict | None:
        fallen = []
        for match in matches:
            other = self._pairs[match.number]
            if match.same and match.number in self._contested:
                return _refused("contradiction", f"{other.id} was refused for another answer to the same question")
            if match.same and (how := disagreement(pair, other)):
                fallen.append((match.number, f"{how}: {other.id} answers the same question otherwise"))
        if not fallen:
            return None
        if rewording_of is None:
            self._contested.update(number for number, _ in fallen)
            self._retracted = [self._pairs[number].id for number, _ in sorted(fallen)]
        return _refused("contradiction", "; ".join(detail for _, detail in fallen))

    def _repeat(self, pair: Pair, match: _Match) -> Verdict | None:
        other = self._pairs[match.number]
        for gate, similarity in match.seen:
            if gate in self._gates:
                if gate == "exact":
                    return _refused("exact", f"same question as {other.id}")
                # what has no answer has none to agree: only nearly the same words or vectors count there
                alike = agreeing(pair, other) or (
                    not (pair.answerable or other.answerable) and similarity >= self._config.contradiction
                )
                if match.same or (alike and not told_apart(asked(pair), asked(other))):
                    return _refused(gate, f"{similarity:.2f} alike with {other.id}")
        return None


class _Against:
    """Questions that no pair may ask again."""

    def __init__(self, config: GateConfig, questions: Sequence[str], vectors: NDArray[np.float32] | None) -> None:
        self._questions = questions
        self._near = ShingleIndex(config.near)
        for question in questions:
            self._near.add(shingles(terms(question)))
        self._vectors = VectorIndex(config.semantic)
        if vectors is not None:
            self._vectors.add(vectors)

    def verdict(self, pair: Pair, vector: NDArray[np.float32] | None) -> Verdict | None:
        """Return the question that a pair asks again, or None."""
        if not self._questions:
            return None
        alike = self._near.query(shingles(terms(pair.question)))
        if not alike and vector is not None:
            alike = self._vectors.query(vector[None, :])[0]
        if not alike:
            return None
        place, similarity = max(alike, key=lambda found: (found[1], -found[0]))
        return _refused("against", f"{similarity:.2f} alike with {self._questions[place][:200]!r}")


def _refused(reason: str, detail: str) -> Verdict:
    return Verdict(accepted=False, reason=reason, detail=detail)


def _fact(pair: Pair) -> tuple[str, ...]:
    """Return what a pair teaches: where it stands and the answer; nothing for what only its question tells apart."""
    if not pair.evidence or pair.kind == "boolean":
        return ()
    places = (f"{e.span.document_id}:{e.span.start}:{e.span.end}" for e in pair.evidence)
    return (*places, "follow-up" if pair.history else "", " ".join(pair.answer.casefold().split()).rstrip("."))
