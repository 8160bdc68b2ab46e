"""Which sentence of the passages answers a question: a linear score over features that can be read.

First every sentence is scored by what is cheap; the best few are then read closely: compared with the question by their
meaning, and searched for words that answer it (`rag.short`). The weights (`rag.weights`) were fitted on SQuAD as a
softmax over the sentences of the four best passages.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

from doceo.core.records import Passage
from doceo.text.figures import Figure, figures
from doceo.text.passages import heading_line
from doceo.text.verbs import FORMS
from rag.clues import Asking
from rag.question import Asked, understand
from rag.retriever import shortened
from rag.short import WIDE_LEAD, Short, field_asked, shorten
from rag.tokens import tokens
from rag.units import Unit, ends, units
from rag.weights import fitted

if TYPE_CHECKING:
    from rag.index import Index
    from rag.lexical import Lexical

FEATURES = (
    "coverage", "pairs", "context", "earlier", "lacks_number", "passage_cosine", "passage_score", "has_kind",
    "lacks_kind", "short", "long", "not_prose", "fragment", "reference", "is_question", "reason_words", "cosine",
    "answer",
)  # fmt: skip
"""The last two are of the sentences that are read closely only."""
_COMPARED, _SEARCHED = 6, 4
"""Sentences whose meaning is compared with the question's, and of these, those that are searched for an answer: for
each 2.5 and 1.5 ms of CPU, more than all else about it."""
_KINDS: dict[Asked, frozenset[str]] = {
    "date": frozenset({"date", "year"}),
    "year": frozenset({"year", "date"}),
    "number": frozenset({"number", "quantity", "percent", "money"}),
    "quantity": frozenset({"quantity", "number", "percent", "money"}),
    "percent": frozenset({"percent", "number", "quantity"}),
    "money": frozenset({"money", "number", "quantity"}),
    "person": frozenset({"name"}),
    "place": frozenset({"name"}),
}
_REASONS = (
    "because", "since", "due to", "so that", "in order to", "therefore", "as a result", "caused", "owing to", "thus",
)  # fmt: skip
LEANS = re.compile(
    r"\W*(?:it|its|they|their|them|this|that|these|those|he|she|his|her|such|here|there|also|thus|then|so)\b", re.I
)
"""The beginning of a sentence that says nothing without the one before it."""
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_VERBS = frozenset({"auxiliary", "past", "finite", "verb"})
_BEFORE = 0.3
"""What a word of the question before weighs against one of the question itself."""
_FEWEST_WORDS, _MOST_WORDS = 4, 45


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence, item or row of a passage with its features, in the order of FEATURES, and its score.

    `short` is what answers in it, where it was read closely and there is such a thing.
    """

    passage: int
    unit: Unit
    features: tuple[float, ...]
    score: float
    short: Short | None = None

    @property
    def text(self) -> str:
        """How it reads."""
        return self.unit.text

    def feature(self, name: str) -> float:
        """Return one feature by name."""
        return self.features[FEATURES.index(name)]


def read(question: str, passages: Sequence[Passage], index: Index, before: str = "") -> list[Candidate]:
    """Return the sentences of the passages that were read closely, best first, equal ones in reading order.

    Headings are no candidates; they count as context of what stands below them. `before` is the question that this
    one leans on: its words count, but less.
    """
    if not question.strip():
        return []
    asked, asking = _Asked(question, before, index.lexical), Asking(question, index.lexical)
    found = [one for at, passage in enumerate(passages) for one in _sentences(at, passage, asked, asking)]
    compared = _compared(sorted(found, key=_order)[:_COMPARED], (question, before), index)
    return sorted((_searched(one, asking) for one in sorted(compared, key=_order)[:_SEARCHED]), key=_order)


def lead(scores: Sequence[float], texts: Sequence[str]) -> float:
    """Return how far the first of some candidates, best first, lies before the next that reads otherwise."""
    others = (score for score, text in zip(scores, texts, strict=True) if text != texts[0])
    return scores[0] - next(others, scores[0] - WIDE_LEAD)


def scored(features: Sequence[float]) -> float:
    """Return the score of a sentence."""
    weights = fitted().sentence
    return sum(weights[name] * value for name, value in zip(FEATURES, features, strict=True))


def _order(candidate: Candidate) -> tuple[float, int, int]:
    return -candidate.score, candidate.passage, candidate.unit.start


def _sentences(at: int, passage: Passage, asked: _Asked, asking: Asking) -> Iterator[Candidate]:
    """Yield the sentences of a passage, each with the headings and the sentences before it in mind."""
    line = heading_line(passage.title, passage.hit.heading_path)
    header, numbers = asked.stems(line), asked.numbers(line)
    previous, earlier = set[str](), set[str]()
    found = units(passage.text)
    record = asked.words(" ".join(unit.text for unit in found if unit.kind == "item" and unit.fields))
    for unit in found:
        words = asked.words(unit.text)
        stems = asked.known(words)
        if unit.kind == "heading":
            header = header | stems
        else:
            short = field_asked(asking, unit.fields)
            # a pronoun may stand for anything before; a field that is asked for speaks for its whole record
            near = earlier if LEANS.match(unit.text) else previous
            read = record if short and unit.kind == "item" else words
            features = asked.features(unit, read, _Around(header | near, header | earlier, numbers), passage)
            features = (*features, 0.0, short.evidence if short else 0.0)
            yield Candidate(at, unit, features, scored(features), short)
        previous, earlier = stems, earlier | stems
        numbers = numbers | asked.numbers(unit.text)


@dataclass(frozen=True, slots=True)
class _Around:
    """Words of the question in the headings and the sentence before, in all before, and its numbers in all before."""

    near: set[str]
    before: set[str]
    numbers: set[str]


def _compared(found: Sequence[Candidate], asked: tuple[str, str], index: Index) -> list[Candidate]:
    """Return candidates with their cosine to what is asked: the question, and together with the one before."""
    if not found:
        return []
    embedder, (question, before) = index.embedder, asked
    questions = [question, f"{before} {question}"] if before else [question]
    asks = embedder.embed_queries([shortened(embedder, text) for text in questions]).mean(axis=0)
    cosines = embedder.embed([shortened(embedder, candidate.text) for candidate in found]) @ asks
    return [_with(one, cosine=float(cosine)) for one, cosine in zip(found, cosines, strict=True)]


def _searched(candidate: Candidate, asking: Asking) -> Candidate:
    """Return a candidate with its short answer; a row's or a record's is known already."""
    short = candidate.short if candidate.unit.fields else shorten(asking, candidate.text)
    return _with(replace(candidate, short=short), answer=short.evidence if short else 0.0)


def _with(candidate: Candidate, **features: float) -> Candidate:
    """Return a candidate with other features."""
    values = tuple(features.get(name, value) for name, value in zip(FEATURES, candidate.features, strict=True))
    return replace(candidate, features=values, score=scored(values))


class _Asked:
    """A question with the weights of its words."""

    def __init__(self, question: str, before: str, lexical: Lexical) -> None:
        self._text, self._lexical = question.lower(), lexical
        self._kind = understand(question).asked
        self._weights = {stem: _BEFORE * lexical.weight(stem) for stem in lexical.terms(before)}
        self._weights |= {stem: lexical.weight(stem) for stem in lexical.terms(question)}
        self._total = sum(self._weights.values()) or 1.0
        pairs = pairwise(lexical.stems(question))
        self._numbers = set(_NUMBER.findall(question))
        self._pairs = {pair for pair in pairs if pair[0] in self._weights or pair[1] in self._weights}

    def words(self, text: str) -> list[str]:
        return self._lexical.stems(text)

    def known(self, words: Sequence[str]) -> set[str]:
        return self._weights.keys() & set(words)

    def stems(self, text: str) -> set[str]:
        return self.known(self.words(text))

    def coverage(self, stems: set[str]) -> float:
        return sum(self._weights[stem] for stem in stems) / self._total

    def numbers(self, text: str) -> set[str]:
        return self._numbers.intersection(_NUMBER.findall(text)) if self._numbers else set()

    def features(self, unit: Unit, words: Sequence[str], around: _Around, passage: Passage) -> tuple[float, ...]:
        """Return the features that are cheap: all but the last two."""
        text, stems = unit.text, self.known(words)
        coverage, near = self.coverage(stems), self.coverage(stems | around.near)
        kinds = _KINDS.get(self._kind)
        has = kinds is not None and any(figure.kind in kinds and self._is_new(text, figure) for figure in figures(text))
        length = len(text.split())
        dense = passage.hit.arms.get("dense")
        missing = self._numbers - around.numbers - self.numbers(text)
        return (
            coverage,
            len(self._pairs.intersection(pairwise(words))) / (len(self._pairs) or 1),
            near - coverage,
            self.coverage(stems | around.near | around.before) - near,
            len(missing) / (len(self._numbers) or 1),
            dense.score if dense else 0.0,
            passage.hit.score,
            float(has),
            float(kinds is not None and not has),
            float(length < _FEWEST_WORDS),
            max(0.0, math.log(length / _MOST_WORDS)) if length else 0.0,
            float(unit.kind in ("row", "code")),
            float(unit.kind == "prose" and _is_fragment(text)),
            float("://" in text),
            float(text.endswith("?")),
            float(self._kind == "reason" and any(word in text.lower() for word in _REASONS)),
        )

    def _is_new(self, text: str, figure: Figure) -> bool:
        """Say whether a figure of a text does not stand in the question already."""
        return text[figure.start : figure.end].lower() not in self._text


def _is_fragment(text: str) -> bool:
    """Say whether a text is no sentence: cut at the beginning or the end, or without a word that may be a verb."""
    first = next((letter for letter in text if letter.isalpha()), "")
    if first.islower() or not ends(text):
        return True
    found = tokens(text)
    if [token.part for token in found[:2]] == ["name", "determiner"]:
        return False  # an order: "Bake the loaf"
    return not any(token.part in _VERBS or token.lower in FORMS for token in found)
