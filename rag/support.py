"""Which sentences of a passage support a statement, and whether they do.

Words first: how much of what a statement says stands in the sentences, its numbers above all. Where it is said in other
words an embedder is asked; a number that the sentences do not hold is never made up for by that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
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
    found = [s for s in sentences(passage) if s.kind != "heading"] or [Sentence(0, len(passage), "prose", 0)]
    best = max(_windows(passage, found, statement), key=lambda pair: (pair[0], -pair[1].start))[1]
    if embed is None or not statement.terms or statement.covered_by(best.terms):
        return best
    vectors = embed([statement.text, *(passage[s.start : s.end] for s in found)])
    likeness = vectors[1:] @ vectors[0]
    nearest = int(likeness.argmax())
    if likeness[nearest] < ALIKE:
        return best
    chosen = found[nearest]
    return _support(passage, chosen.start, chosen.end, statement, float(likeness[nearest]))


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


def _windows(passage: str, found: Sequence[Sentence], statement: Statement) -> Iterator[tuple[float, Support]]:
    for first in range(len(found)):
        for last in range(first, min(first + _LONGEST, len(found))):
            if not all(_joined(left, right) for left, right in pairwise(found[first : last + 1])):
                break
            support = _support(passage, found[first].start, found[last].end, statement)
            besides = len(content(passage[support.start : support.end]) - statement.terms)
            held = len(support.terms) + len(support.numbers)
            yield held - _ADDS * (last - first) - _SAYS_MORE * besides, support


def _joined(left: Sentence, right: Sentence) -> bool:
    """Say whether two sentences can stand in one quote: of one paragraph, or rows of a table, or items of a list."""
    return left.block == right.block or (left.kind == right.kind and left.kind in ("row", "item"))


def _support(passage: str, start: int, end: int, statement: Statement, likeness: float = 0.0) -> Support:
    text = passage[start:end]
    return Support(start, end, statement.terms & content(text), statement.numbers & numbers(text), likeness)
