"""Mean reciprocal rank: how early the first passage with evidence stands."""

from __future__ import annotations

from evaluation.ranking import Ranking
from evaluation.retrieved import OfRanking


class ReciprocalRank(OfRanking):
    """1 / the place of the first relevant passage, 0 where there is none, mean over questions."""

    family, written = "mrr", "MRR"

    def value(self, found: Ranking) -> float | None:
        """Return the reciprocal rank."""
        return found.reciprocal_rank(self.k)
