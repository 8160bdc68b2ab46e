"""The names and rare words of a passage, by which another passage can be joined to it."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np

from doceo.text.hashed_terms import Hashes, tokenize
from doceo.text.words import STOP_WORDS

MOST_SHARED = 5
"""Most phrases that say what two passages share."""
_SENTENCE_START = re.compile(r"(?:^|[.!?:;…]|\n)[\W_]*$")
_CONTEXT = 8
_UNSPACED = 0x2E80
"""From here on, scripts without capitals, most of them without spaces."""


class JoiningTerms:
    """A passage's text with its terms, to say which of them join it to another passage, and in which words."""

    def __init__(self, text: str) -> None:
        self._text = text
        blocks = list(tokenize([text]))
        self.hashes: Hashes = np.concatenate([block.hashes for block in blocks])
        self._start: list[int] = np.concatenate([block.start for block in blocks]).tolist()
        self._end: list[int] = np.concatenate([block.end for block in blocks]).tolist()

    def joining(self, rare: Hashes, drop: int) -> dict[int, tuple[float, int]]:
        """Return those of some terms that can join passages, most telling first: weight, and place in the text."""
        short = self.hashes >> np.uint64(drop)
        found: dict[int, tuple[float, int]] = {}
        for place in np.flatnonzero(np.isin(short, rare)).tolist():
            term, weight = int(short[place]), self._weight(place)
            if weight > found.get(term, (0.0, 0))[0]:
                found[term] = (weight, place)
        return dict(sorted(found.items(), key=lambda item: (-item[1][0], item[1][1])))

    def phrases(self, places: Iterable[int], other: str) -> tuple[str, ...]:
        """Return the words at some places, as far around them as another text has them too."""
        lowered = other.lower()
        found: list[str] = []
        for place in places:
            phrase = self._widened(place, lowered)
            if phrase and not any(phrase.lower() in known.lower() for known in found):
                found.append(phrase)
        return tuple(found[:MOST_SHARED])

    def _weight(self, place: int) -> float:
        """Return 0 for numbers, short words and English function words, 2 for names, 1 for other words."""
        start, end = self._start[place], self._end[place]
        word = self._text[start:end]
        if ord(word[0]) >= _UNSPACED:
            return 1.0
        if word.isdigit() or len(word) < 3 or word.lower() in STOP_WORDS:
            return 0.0
        inside = not _SENTENCE_START.search(self._text[max(0, start - _CONTEXT) : start])
        return 2.0 if word[1:] != word[1:].lower() or (word[0].isupper() and inside) else 1.0

    def _widened(self, place: int, other: str) -> str:
        """Return the longest run of names, or of characters, around a term that stands in another text as well."""
        first = last = place
        while first > 0 and self._joins(first - 1, first) and self._slice(first - 1, last).lower() in other:
            first -= 1
        while (
            last + 1 < len(self._start)
            and self._joins(last, last + 1)
            and self._slice(first, last + 1).lower() in other
        ):
            last += 1
        phrase = self._slice(first, last)
        return phrase if phrase.lower() in other else ""

    def _joins(self, left: int, right: int) -> bool:
        gap = self._start[right] - self._end[left]
        names = self._text[self._start[left]].isupper() and self._text[self._start[right]].isupper()
        return gap < 0 or (names and gap == 1 and self._text[self._end[left]] in " -\n")

    def _slice(self, first: int, last: int) -> str:
        return self._text[self._start[first] : self._end[last]]
