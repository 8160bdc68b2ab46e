"""Recall: how many of the pieces of evidence are held by the first k passages."""

from __future__ import annotations

from evaluation.case import Case
from evaluation.metric import Rows, mean_row
from evaluation.retrieved import OfRanking, pieces


class Recall(OfRanking):
    """Share of a question's pieces of evidence that the first k passages hold, mean over questions."""

    family = written = "recall"
    plain = "@k"

    def of(self, case: Case) -> Rows | None:
        """Return (100 share, 1), or None without passages or evidence."""
        held = pieces(case)
        if held is None:
            return None
        return mean_row(100.0 * len(frozenset().union(*held[: self.k])) / len(case.question.evidence))
