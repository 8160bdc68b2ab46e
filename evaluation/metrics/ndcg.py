"""nDCG of the passages found (Jarvelin and Kekalainen 2002)."""

from __future__ import annotations

from evaluation.ranking import Ranking
from evaluation.retrieved import OfRanking


class Ndcg(OfRanking):
    """Discounted gain over that of the best ranking, mean over questions; a passage's gain is its new pieces."""

    family, written = "ndcg", "nDCG"

    def value(self, found: Ranking) -> float | None:
        """Return the normalised discounted cumulative gain."""
        return found.ndcg(self.k)
