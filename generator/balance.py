"""Which of the good pairs are kept: spread over the corpus first, then by quotas, then for what they add."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, floor
from typing import TYPE_CHECKING, TypeVar

from doceo.core.errors import ConfigError
from doceo.core.records import Difficulty, Pair
from generator.variety import Variety

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Name = TypeVar("Name", bound=str)
_REST = ""
_Category = tuple[str, str]


@dataclass(frozen=True)
class Quotas:
    """The wanted mix in percent, by kind, difficulty and topic; what is not named shares the rest."""

    kinds: Mapping[str, float] = field(default_factory=dict)
    difficulties: Mapping[Difficulty, float] = field(default_factory=dict)
    topics: Mapping[str, float] = field(default_factory=dict)

    def targets(self, n: int) -> dict[_Category, int]:
        """Return how many of n pairs each named category is to have, and all others of its axis together."""
        found: dict[_Category, int] = {}
        for axis, shares in (("kind", self.kinds), ("difficulty", self.difficulties), ("topic", self.topics)):
            if shares:
                counts = quota_counts(n, {str(name): share for name, share in shares.items()})
                found |= {(axis, name): count for name, count in counts.items()}
                found[axis, _REST] = n - sum(counts.values())
        return found

    def shortfalls(self, pairs: Sequence[Pair], n: int) -> dict[str, dict[str, int]]:
        """Return how many pairs of each named category are missing to its share of n, where any are, by axis."""
        targets = self.targets(n)
        held = Counter(category for pair in pairs for category in _categories(pair, targets))
        missing: dict[str, dict[str, int]] = {}
        for (axis, name), target in targets.items():
            if name != _REST and held[axis, name] < target:
                missing.setdefault(axis, {})[name] = target - held[axis, name]
        return missing


def quota_counts(n: int, percentages: Mapping[Name, float]) -> dict[Name, int]:
    """Return how many of n each share in percent is, by the method of largest remainders; together at most n.

    Raises ConfigError where shares are negative or sum up to more than 100.
    """
    total = sum(percentages.values())
    if total > 100 + 1e-6 or any(share < 0 for share in percentages.values()):
        shown = ", ".join(f"{name}={share:g}" for name, share in percentages.items())
        raise ConfigError(f"Shares in percent cannot be {shown}.", hint="Give shares of 0 to 100 that sum up to 100.")
    exact = {name: n * share / 100 for name, share in percentages.items()}
    counts = {name: floor(share + 1e-9) for name, share in exact.items()}
    left = round(n * total / 100) - sum(counts.values())
    for name in sorted(exact, key=lambda name: (counts[name] - exact[name], name))[: max(0, left)]:
        counts[name] += 1
    return counts


def select(
    pool: Sequence[Pair],
    n: int,
    order: Mapping[str, int],
    kept: Sequence[Pair] = (),
    *,
    quotas: Quotas | None = None,
    vectors: Mapping[str, NDArray[np.float32]] | None = None,
) -> list[Pair]:
    """Return n pairs of the pool (or all, if fewer), in corpus order.

    Pairs are taken in layers: one of every chunk, then a second one, and so on. A layer that does not fit whole is cut
    into as many equal stretches of the corpus as pairs are missing, and each gives one: without quotas from its middle,
    so that gaps stay even. Within these parts, each of capacity one, the choice is greedy: first for the quotas, then
    for what a pair adds to the worth of the set (`Variety`). It is the greedy algorithm for a monotone submodular
    function under a partition matroid (Fisher, Nemhauser and Wolsey 1978; Lin and Bilmes 2011), evaluated lazily
    (Minoux 1978). At last, pairs of full categories are exchanged for those of short ones where no chunk is left
    without a pair. The same pool gives the same choice in whatever order it comes; ties go to the smaller id.

    Args:
        pool: Pairs that passed every check.
        n: How many to keep.
        order: Position of every chunk id in the corpus.
        kept: Pairs kept before; they count as taken.
        quotas: The wanted mix, which is met as far as the pool and the spread allow.
        vectors: Unit vectors of the questions by pair id; without them the choice goes by words.
    """
    n = max(0, n)
    if n >= len(pool):
        return _in_order(pool, order)
    choice = _Choice(pool, n, order, kept, quotas or Quotas(), vectors)
    while len(choice.chosen) < n and choice.waiting:
        level = min(choice.served[chunk] for chunk in choice.waiting)
        chunks = [chunk for chunk in choice.waiting if choice.served[chunk] == level]
        choice.take_one_each(_parts(sorted(chunks, key=order.__getitem__), n - len(choice.chosen), choice.targets))
    choice.exchange()
    return _in_order((choice.pairs[place] for place in choice.chosen), order)


def _in_order(pairs: Iterable[Pair], order: Mapping[str, int]) -> list[Pair]:
    return sorted(
        pairs, key=lambda pair: (order[pair.chunk_ids[0]], pair.evidence[0].span.start if pair.evidence else 0, pair.id)
    )


def _parts(chunks: Sequence[str], missing: int, quotas: Mapping[_Category, int]) -> list[Sequence[str]]:
    """Return chunks in parts of which each gives one pair: every chunk by itself, or stretches of neighbours."""
    if len(chunks) <= missing:
        return [[chunk] for chunk in chunks]
    parts: list[Sequence[str]] = []
    for i in range(missing):
        start, end = i * len(chunks) // missing, (i + 1) * len(chunks) // missing
        if not quotas:
            # the middle and a sixteenth of a stretch around it: gaps vary by an eighth
            middle, around = (start + end - 1) / 2, max(0.5, len(chunks) / missing / 16)
            start, end = max(start, ceil(middle - around)), min(end, floor(middle + around) + 1)
        parts.append(chunks[start:end])
    return parts


class _Choice:
    """A selection under way. Pairs are named by their place among those kept before and the pool, by id."""

    def __init__(
        self,
        pool: Sequence[Pair],
        n: int,
        order: Mapping[str, int],
        kept: Sequence[Pair],
        quotas: Quotas,
        vectors: Mapping[str, NDArray[np.float32]] | None,
    ) -> None:
        have = {pair.id for pair in kept}
        fresh = {pair.id: pair for pair in pool if pair.id not in have}
        self.pairs = [*kept, *(fresh[identity] for identity in sorted(fresh))]
        total = len(kept) + min(n, len(fresh))
        self.targets = quotas.targets(total)
        self.chosen: list[int] = []
        self.served: Counter[str] = Counter()
        self.waiting: dict[str, list[int]] = {}
        self._held: Counter[_Category] = Counter()
        self._variety = Variety(self.pairs, total, vectors)
        self._categories = [_categories(pair, self.targets) for pair in self.pairs]
        available = Counter(category for found in self._categories for category in found)
        # where there are few to choose from they are taken while they can be
        self._weight = {c: 1 + min(1.0, target / max(1, available[c])) for c, target in self.targets.items()}
        for place, pair in enumerate(self.pairs):
            if place < len(kept):
                self._variety.take(place)
                self._count(place)
            else:
                self.waiting.setdefault(pair.chunk_ids[0], []).append(place)

    def take_one_each(self, parts: Sequence[Sequence[str]]) -> None:
        """Take the best pair of each part, the best of all first."""
        heap = [
            (*self._worth(place), place, number)
            for number, part in enumerate(parts)
            for chunk in part
            for place in self.waiting[chunk]
        ]
        heapq.heapify(heap)
        done: set[int] = set()
        while heap and len(done) < len(parts):
            *_, place, number = heapq.heappop(heap)
            if number in done:
                continue
            entry = (*self._worth(place), place, number)
            if heap and entry > heap[0]:
                heapq.heappush(heap, entry)
                continue
            done.add(number)
            self._take(place)

    def exchange(self) -> None:
        """Exchange chosen pairs of full categories for waiting ones of short categories, as long as that helps."""
        short = {c for c, target in self.targets.items() if self._held[c] < target}
        places = [p for waiting in self.waiting.values() for p in waiting if short.intersection(self._categories[p])]
        homes: dict[str, set[int]] = {}
        alike: dict[tuple[_Category, ...], list[int]] = {}
        for place in sorted(self.chosen, key=self._score, reverse=True):
            homes.setdefault(self._home(place), set()).add(place)
            alike.setdefault(self._categories[place], []).append(place)
        for place in sorted(places, key=lambda place: (-self._variety.gain(place), place)):
            options = set(homes.get(self._home(place), ()))
            for group in alike.values():
                while group and (
                    self.served[self._home(group[-1])] < 2 or group[-1] not in homes[self._home(group[-1])]
                ):
                    group.pop()
                options.update(group[-1:])
            helped, (_, other) = min(
                ((-self._helped(place, other), self._score(other)) for other in options), default=(0, (0.0, 0))
            )
            if helped < 0:
                homes[self._home(other)].remove(other)
                homes.setdefault(self._home(place), set()).add(place)
                self._count(other, -1)
                self._count(place)
        self.chosen = sorted(place for home in homes.values() for place in home)

    def _score(self, place: int) -> tuple[float, int]:
        return self._variety.scores[place], place

    def _home(self, place: int) -> str:
        return self.pairs[place].chunk_ids[0]

    def _worth(self, place: int) -> tuple[float, float]:
        """Return what orders candidates, smaller for better: the quotas a pair helps to fill, then what it adds."""
        helps = sum(self._weight[c] for c in self._categories[place] if self._held[c] < self.targets[c])
        return -helps, -self._variety.gain(place)

    def _helped(self, place: int, other: int) -> int:
        """Return how many quotas are better filled with a pair in place of another."""
        here, there = set(self._categories[place]), set(self._categories[other])
        gained = sum(self._held[c] < self.targets[c] for c in here - there)
        return gained - sum(self._held[c] <= self.targets[c] for c in there - here)

    def _take(self, place: int) -> None:
        self.chosen.append(place)
        home = self._home(place)
        self.waiting[home].remove(place)
        if not self.waiting[home]:
            del self.waiting[home]
        self._variety.take(place)
        self._count(place)

    def _count(self, place: int, by: int = 1) -> None:
        self.served[self._home(place)] += by
        for category in self._categories[place]:
            self._held[category] += by


def _categories(pair: Pair, targets: Mapping[_Category, int]) -> tuple[_Category, ...]:
    """Return the categories with a target that a pair counts for, one an axis."""
    found = (("kind", str(pair.kind)), ("difficulty", str(pair.difficulty)), ("topic", pair.topic))
    named = ((axis, name if (axis, name) in targets else _REST) for axis, name in found)
    return tuple(category for category in named if category in targets)
