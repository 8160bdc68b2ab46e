"""Questions that are the same, or nearly so: an exact join by word pairs that compares only what can be alike."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Literal

import numpy as np

from doceo.text.hashed_terms import Hashes, hashes_of, runs

Alike = Literal["same", "near", ""]
NEAR = 0.8
"""Jaccard similarity of word pairs from which two questions are nearly the same."""
_WORD = re.compile(r"\w+")


class AlikeQuestions:
    """Tells which of other questions ask one of these again.

    Candidates come from prefix filtering (Chaudhuri, Ganti and Kaushik 2006): two sets as similar as `NEAR` share one
    of their few rarest members. So nothing is missed, as sketches would, and little is compared.
    """

    def __init__(self, questions: Sequence[str]) -> None:
        self._questions = list(questions)
        terms = hashes_of(self._questions)
        self._same = set(map(_words, self._questions, terms))
        self._pairs = _pairs(terms)
        self._often = Counter(pair for pairs in self._pairs for pair in pairs)
        self._by_pair: dict[int, list[int]] = {}
        for place, pairs in enumerate(self._pairs):
            for pair in self._rarest(pairs):
                self._by_pair.setdefault(pair, []).append(place)

    def among(self, questions: Sequence[str]) -> list[Alike]:
        """Return for each question whether it asks one of these: word for word, nearly so, or not at all.

        Case and punctuation do not count; a question that names something else is another one, however alike.
        """
        found: list[Alike] = []
        terms = hashes_of(questions)
        for question, words, pairs in zip(questions, map(_words, questions, terms), _pairs(terms), strict=True):
            found.append("same" if words in self._same else "near" if self._near(question, pairs) else "")
        return found

    def _near(self, question: str, pairs: frozenset[int]) -> bool:
        places = {place for pair in self._rarest(pairs) for place in self._by_pair.get(pair, ())}
        return any(_are_near(question, self._questions[place], pairs, self._pairs[place]) for place in places)

    def _rarest(self, pairs: frozenset[int]) -> list[int]:
        """Return so many of the rarest members that a set without any of them is too different."""
        order = sorted(pairs, key=lambda pair: (self._often[pair], pair))
        return order[: len(pairs) - math.ceil(NEAR * len(pairs)) + 1]


def alike(questions: Sequence[str], others: Sequence[str]) -> list[Alike]:
    """Return for each question whether the other at its place asks it again, as `AlikeQuestions` says it."""
    terms, other_terms = hashes_of(questions), hashes_of(others)
    words, other_words = map(_words, questions, terms), map(_words, others, other_terms)
    near = map(_are_near, questions, others, _pairs(terms), _pairs(other_terms))
    return [
        "same" if one == other else "near" if close else ""
        for one, other, close in zip(words, other_words, near, strict=True)
    ]


def _words(question: str, terms: Hashes) -> bytes:
    # A text of marks only has no terms, and equals itself alone.
    return terms.tobytes() or question.strip().encode("utf-8", "surrogatepass")


def _pairs(questions: Sequence[Hashes]) -> list[frozenset[int]]:
    """Return the pairs of neighbouring terms of every question; of a single term, that term."""
    if not questions:
        return []
    ends = np.cumsum([len(terms) for terms in questions]).tolist()
    pairs = runs(np.concatenate(questions), 2).tolist()
    return [
        frozenset(pairs[end - len(terms) : end - 1] if len(terms) > 1 else runs(terms, 1).tolist())
        for terms, end in zip(questions, ends, strict=True)
    ]


def _are_near(one: str, other: str, pairs: frozenset[int], other_pairs: frozenset[int]) -> bool:
    return _jaccard(pairs, other_pairs) >= NEAR and not _name_others(one, other)


def _jaccard(one: frozenset[int], other: frozenset[int]) -> float:
    return len(one & other) / len(one | other) if one or other else 0.0


def _name_others(one: str, other: str) -> bool:
    """Say whether each of two questions holds a number or a name that the other lacks: they ask different things."""
    ones, others = _WORD.findall(one), _WORD.findall(other)
    return _names(ones, others) and _names(others, ones)


def _names(words: Sequence[str], others: Sequence[str]) -> bool:
    known = {word.casefold() for word in others}
    return any(
        word.casefold() not in known and (any(map(str.isdigit, word)) or (place > 0 and word[0].isupper()))
        for place, word in enumerate(words)
    )
