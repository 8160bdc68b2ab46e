"""Mean average precision of the passages found."""

from __future__ import annotations

from evaluation.ranking import Ranking
from evaluation.retrieved import OfRanking


class AveragePrecision(OfRanking):
    """Precision where evidence is found, mean over the pieces of a question, then over questions."""

    family, written = "map", "MAP"

    def value(self, found: Ranking) -> float | None:
        """Return the average precision."""
        return found.average_precision(self.k)
