"""How good a ranking is, by what is relevant in it: the measures of trec_eval."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Ranking:
    """What was found, best first, as the gain of every place, and the gains of all that there was to find.

    A gain is a grade of relevance; 0 is not relevant. All measures are 0 to 1 and None where nothing is relevant.
    `k` counts the first places only; left out, all.
    """

    gains: tuple[int, ...]
    relevant: tuple[int, ...]

    @classmethod
    def of_qrels(cls, found: Sequence[str], qrels: Mapping[str, int]) -> Ranking:
        """Return the ranking of ids, each counted where it stands first, under judgements id -> grade."""
        grades = {key: grade for key, grade in qrels.items() if grade > 0}
        return cls(tuple(grades.get(key, 0) for key in dict.fromkeys(found)), tuple(grades.values()))

    def hit(self, k: int | None = None) -> float | None:
        """Return 1 where a relevant one was found, else 0."""
        return float(any(self.gains[:k])) if self.relevant else None

    def precision(self, k: int | None = None) -> float | None:
        """Return the share of the places that are relevant; fewer than k found count as k."""
        places = len(self.gains) if k is None else k
        return _count(self.gains[:k]) / places if self.relevant and places else None

    def recall(self, k: int | None = None) -> float | None:
        """Return the share of what is relevant that was found."""
        return _count(self.gains[:k]) / len(self.relevant) if self.relevant else None

    def reciprocal_rank(self, k: int | None = None) -> float | None:
        """Return 1 / the place of the first relevant one, 0 where there is none."""
        if not self.relevant:
            return None
        return next((1 / place for place, gain in enumerate(self.gains[:k], 1) if gain), 0.0)

    def average_precision(self, k: int | None = None) -> float | None:
        """Return the mean, over what is relevant, of the precision where it was found; 0 for what was not."""
        if not self.relevant:
            return None
        places = [place for place, gain in enumerate(self.gains[:k], 1) if gain]
        return sum(found / place for found, place in enumerate(places, 1)) / len(self.relevant)

    def ndcg(self, k: int | None = None) -> float | None:
        """Return the discounted gain over that of the best ranking (Jarvelin and Kekalainen 2002), gains as graded."""
        if not self.relevant:
            return None
        return _discounted(self.gains[:k]) / _discounted(sorted(self.relevant, reverse=True)[:k])


def _count(gains: Sequence[int]) -> int:
    return sum(gain > 0 for gain in gains)


def _discounted(gains: Sequence[int]) -> float:
    return sum(gain / math.log2(place + 1) for place, gain in enumerate(gains, 1))
