"""Which of many short texts share most of their shingles with a given one: exact, and cheap one text at a time."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil


class ShingleIndex:
    """A growing set of texts, searched by the Jaccard similarity of their shingles.

    Exact, by prefix filtering (Chaudhuri et al. 2006; Bayardo et al. 2007): with one fixed order of all shingles, two
    sets of similarity t share a shingle among the first |x| - ceil(t |x|) + 1 of each. Rare shingles come first, so
    that few texts are compared. The order is made anew from the counts whenever the index has doubled.

    Args:
        threshold: Least similarity that is looked for, above 0, at most 1.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._numbers: dict[str, int] = {}
        self._counts: list[int] = []
        self._ranks: list[int] = []
        self._texts: list[tuple[int, ...]] = []
        self._postings: dict[int, list[int]] = {}
        self._ordered_at = 64

    def __len__(self) -> int:
        return len(self._texts)

    def add(self, shingles: Iterable[str]) -> int:
        """Take in a text and return its number, counted from 0."""
        if len(self._texts) == self._ordered_at:
            self._order()
        found = []
        for shingle in sorted(shingles):
            number = self._numbers.setdefault(shingle, len(self._counts))
            if number == len(self._counts):
                self._counts.append(0)
                self._ranks.append(0)
            self._counts[number] += 1
            found.append(number)
        self._texts.append(tuple(found))
        self._post(len(self._texts) - 1)
        return len(self._texts) - 1

    def query(self, shingles: frozenset[str]) -> list[tuple[int, float]]:
        """Return the numbers of the texts that are similar enough, in order, each with its similarity."""
        known = [number for shingle in shingles if (number := self._numbers.get(shingle)) is not None]
        # what the index has never seen stands before all else in the order, and leads nowhere
        unseen = len(shingles) - len(known)
        near: set[int] = set()
        for number in self._prefix(known, len(shingles), unseen):
            near.update(self._postings.get(number, ()))
        own, found = frozenset(known), []
        for text in sorted(near):
            shared = len(own.intersection(self._texts[text]))
            similarity = shared / (len(shingles) + len(self._texts[text]) - shared)
            if similarity >= self._threshold:
                found.append((text, similarity))
        return found

    def _prefix(self, numbers: Iterable[int], size: int, unseen: int = 0) -> list[int]:
        # a little less than the exact product: 0.8 * 5 must not become 4.000001
        length = size - ceil(self._threshold * size - 1e-9) + 1 - unseen
        ranks = self._ranks
        return sorted(numbers, key=lambda number: (ranks[number], number))[: max(0, length)]

    def _post(self, text: int) -> None:
        numbers = self._texts[text]
        for number in self._prefix(numbers, len(numbers)):
            self._postings.setdefault(number, []).append(text)

    def _order(self) -> None:
        self._ordered_at *= 2
        self._ranks = list(self._counts)
        self._postings = {}
        for text in range(len(self._texts)):
            self._post(text)
