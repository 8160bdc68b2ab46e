"""Questions that are the same, or nearly so: an exact join by word pairs that compares only what can be alike."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Literal

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
        self._pairs = list(map(_pairs, terms))
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
        for question, terms in zip(questions, hashes_of(questions), strict=True):
            same = _words(question, terms) in self._same
            found.append("same" if same else "near" if self._near(question, _pairs(terms)) else "")
        return found

    def _near(self, question: str, pairs: frozenset[int]) -> bool:
        places = {place for pair in self._rarest(pairs) for place in self._by_pair.get(pair, ())}
        return any(
            _jaccard(pairs, self._pairs[place]) >= NEAR and not _name_others(question, self._questions[place])
            for place in places
        )

    def _rarest(self, pairs: frozenset[int]) -> list[int]:
        """Return so many of the rarest members that a set without any of them is too different."""
        order = sorted(pairs, key=lambda pair: (self._often[pair], pair))
        return order[: len(pairs) - math.ceil(NEAR * len(pairs)) + 1]


def _words(question: str, terms: Hashes) -> bytes:
    # A text of marks only has no terms, and equals itself alone.
    return terms.tobytes() or question.strip().encode("utf-8", "surrogatepass")


def _pairs(terms: Hashes) -> frozenset[int]:
    return frozenset(runs(terms, min(2, max(len(terms), 1))).tolist())


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
