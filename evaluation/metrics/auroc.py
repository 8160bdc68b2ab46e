"""How well the chance of an answer tells right from wrong ones."""

from __future__ import annotations

from evaluation import selective
from evaluation.case import Case
from evaluation.metric import Group, PerCase, Rows


class Auroc(PerCase):
    """Area under the ROC curve of `Answer.chance` for answers that are right, 50 for a chance that tells nothing.

    Statistics: counts by chance, shape (202,). Undefined for answers without a chance, and where all are right or none.
    """

    name = "auroc"
    label = "AUROC"
    signature = f"auroc|{selective.RECIPE}"
    group: Group = "refusal"

    def of(self, case: Case) -> Rows | None:
        """Return the counts, or None where it is undefined."""
        return selective.counts(case)

    def corpus(self, sums: Rows) -> Rows:
        """Return 100 times the area, shape (r,), of sums of shape (r, 202); NaN where undefined."""
        return 100 * selective.auroc(sums)

    def item(self, row: Rows) -> None:
        """Return None: one answer has no such value."""
