"""Repeats: the same question again, nearly the same, or the same fact asked twice."""

from __future__ import annotations

import re

from datasketch import MinHashLSH

from doceo.core.records import Pair, Verdict
from doceo.text.neardup import signature

_THRESHOLD = 0.8
_PERMUTATIONS = 64


class Repeats:
    """The questions accepted so far, and whether a new one repeats one of them."""

    def __init__(self, *, near: bool = True) -> None:
        self._near = near
        self._questions: dict[str, str] = {}
        self._facts: dict[tuple[str, str], str] = {}
        self._index = MinHashLSH(threshold=0.7, num_perm=_PERMUTATIONS)
        self._sketches: dict[str, object] = {}

    def verdict(self, pair: Pair, *, rewording_of: Pair | None = None) -> Verdict | None:
        """Return why a pair is a repeat, or None. A rewording may repeat the fact of its original, not its words."""
        words = _normal(pair.question)
        if words in self._questions:
            return Verdict(accepted=False, reason="exact", detail=f"same question as {self._questions[words]}")
        if not self._near:
            return None
        if rewording_of is None and (same := self._facts.get(_fact(pair))):
            return Verdict(accepted=False, reason="near", detail=f"same fact as {same}")
        sketch = signature(words, 2)
        for other in self._index.query(sketch):
            if rewording_of is not None and other == rewording_of.id:
                continue
            similarity = sketch.jaccard(self._sketches[other])
            if similarity >= _THRESHOLD:
                return Verdict(accepted=False, reason="near", detail=f"{similarity:.2f} alike with {other}")
        return None

    def add(self, pair: Pair) -> None:
        """Remember an accepted pair."""
        words = _normal(pair.question)
        self._questions[words] = pair.id
        if self._near:
            self._facts.setdefault(_fact(pair), pair.id)
            self._sketches[pair.id] = signature(words, 2)
            self._index.insert(pair.id, self._sketches[pair.id])


def _normal(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _fact(pair: Pair) -> tuple[str, str]:
    place = "|".join(f"{e.span.document_id}:{e.span.start}:{e.span.end}" for e in pair.evidence)
    return (place or pair.id, _normal(pair.answer))
