"""Hit rate: how often a passage that holds evidence is among the first k."""

from __future__ import annotations

from evaluation.ranking import Ranking
from evaluation.retrieved import OfRanking


class Hit(OfRanking):
    """Share of questions with a relevant passage among the first k."""

    family = written = "hit"
    plain = "@k"

    def value(self, found: Ranking) -> float | None:
        """Return 1 or 0."""
        return found.hit(self.k)
