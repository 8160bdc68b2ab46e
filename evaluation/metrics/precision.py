"""Precision: how many of the first k passages hold evidence."""

from __future__ import annotations

from evaluation.case import Case
from evaluation.metric import Rows, mean_row
from evaluation.retrieved import OfRanking, pieces


class Precision(OfRanking):
    """Share of the first k passages that are relevant, mean over questions; fewer than k found count as k.

    Passages that hold the same piece, as chunks that overlap do, are all relevant here.
    """

    family = written = "precision"
    plain = "@k"

    def of(self, case: Case) -> Rows | None:
        """Return (100 share, 1), or None without passages or evidence."""
        held = pieces(case)
        return None if held is None else mean_row(100.0 * sum(map(bool, held[: self.k])) / (self.k or len(held)))
