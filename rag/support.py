"""Which sentences of a passage support a statement, and whether they do.

Words first: how much of what a statement says stands in the sentences, its numbers above all. Where it is said in other
words an embedder is asked; a number that the sentences do not hold is never made up for by that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from doceo.text.sentences import Sentence, sentences
from doceo.text.support import Statement, content, numbers

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Embed = Callable[[Sequence[str]], "NDArray[np.float32]"]
"""Turns texts into unit vectors, one row each."""
ALIKE = 0.75
"""Cosine of a statement and a sentence from which they say the same.

With both, of 200 statements made of SQuAD's questions and answers 90 % are found supported by their paragraph, and 14 %
by what is left of it without the sentence that holds the answer.
"""
_LONGEST = 3
"""Most sentences of one quote."""
_ADDS = 2.5
"""A further sentence has to hold this many more of the statement's terms; a number counts as two."""
_SAYS_MORE = 0.01
"""What a term that the statement lacks costs: among equals the sentence that says least besides is quoted."""
_PARTIAL = 0.15
"""Share of a statement that each of several sources has to hold."""


@dataclass(frozen=True)
class Support:
    """The characters `start` to `end` of a passage, what of the statement stands in them, and their likeness to it."""

    start: int
    end: int
    terms: frozenset[str]
    numbers: frozenset[str]
    likeness: float = 0.0


def best_support(statement: Statement, passage: str, embed: Embed | None = None) -> Support:
    """Return the one to three neighbouring sentences of a passage that support a statement best.

    Where no sentences hold enough of its words, and there is an embedder, the sentence that is most like it.
    """
    found = _told(passage)
    best = max(_windows(found, statement), key=lambda pair: (pair[0], -pair[1].start))[1]
    if embed is None or not statement.terms or statement.covered_by(best.terms):
        return best
    vectors = embed([statement.text, *(passage[one.sentence.start : one.sentence.end] for one in found)])
    likeness = vectors[1:] @ vectors[0]
    nearest = int(likeness.argmax())
    if likeness[nearest] < ALIKE:
        return best
    return _support(found[nearest : nearest + 1], statement, float(likeness[nearest]))


def supported(statement: Statement, found: Sequence[Support]) -> list[bool]:
    """Say of each of the supports that a statement cites together whether it is one.

    Together they have to hold the statement's numbers and enough of its terms, or one of them is like it; and each has
    to hold some part of it.
    """
    if not found or not statement.terms:
        return [False] * len(found)
    if statement.numbers - frozenset().union(*(support.numbers for support in found)):
        return [False] * len(found)
    held = [support.terms & statement.terms for support in found]
    together = statement.covered_by(frozenset().union(*held))
    return [
        support.likeness >= ALIKE or (together and len(terms) >= _PARTIAL * len(statement.terms))
        for support, terms in zip(found, held, strict=True)
    ]


@dataclass(frozen=True)
class _Told:
    """A sentence of a passage, its terms and its numbers."""

    sentence: Sentence
    terms: frozenset[str]
    numbers: frozenset[str]


@lru_cache(maxsize=1024)
def _told(passage: str) -> tuple[_Told, ...]:
    """Return the sentences of a passage; those of the latest passages are kept."""
    found = [s for s in sentences(passage) if s.kind != "heading"] or [Sentence(0, len(passage), "prose", 0)]
    texts = [passage[s.start : s.end] for s in found]
    return tuple(_Told(s, content(text), numbers(text)) for s, text in zip(found, texts, strict=True))


def _windows(found: Sequence[_Told], statement: Statement) -> Iterator[tuple[float, Support]]:
    for first in range(len(found)):
        besides: set[str] = set()
        for last in range(first, min(first + _LONGEST, len(found))):
            if last > first and not _joined(found[last - 1].sentence, found[last].sentence):
                break
            besides |= found[last].terms - statement.terms
            support = _support(found[first : last + 1], statement)
            held = len(support.terms) + len(support.numbers)
            yield held - _ADDS * (last - first) - _SAYS_MORE * len(besides), support


def _joined(left: Sentence, right: Sentence) -> bool:
    """Say whether two sentences can stand in one quote: of one paragraph, or rows of a table, or items of a list."""
    return left.block == right.block or (left.kind == right.kind and left.kind in ("row", "item"))


def _support(told: Sequence[_Told], statement: Statement, likeness: float = 0.0) -> Support:
    terms = frozenset().union(*(one.terms & statement.terms for one in told))
    numbered = frozenset().union(*(one.numbers & statement.numbers for one in told))
    return Support(told[0].sentence.start, told[-1].sentence.end, terms, numbered, likeness)
