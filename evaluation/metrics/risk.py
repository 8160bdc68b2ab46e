"""How many answers are wrong when the least certain questions are left unanswered."""

from __future__ import annotations

from doceo.core.errors import UsageError
from evaluation import selective
from evaluation.case import Case
from evaluation.metric import Better, Group, PerCase, Rows


class Risk(PerCase):
    """Share of wrong answers among those with the highest `Answer.chance`, at a coverage.

    Statistics: counts by chance, shape (202,). Undefined for answers without a chance. Coverage is that of questions of
    which it is known whether an answer is right, which leaves out refusals of what can be answered.

    Args:
        coverage: Per cent of the questions that are answered.

    Raises:
        UsageError: more than all.
    """

    group: Group = "refusal"
    better: Better = "lower"

    def __init__(self, coverage: int = 80) -> None:
        if coverage > 100:
            raise UsageError(f"There is no coverage of {coverage} %.", hint="Give 1 to 100, such as risk@80.")
        self._coverage = coverage / 100
        self.name = f"risk@{coverage}"
        self.label = f"risk at {coverage} %"
        self.signature = f"risk|coverage:{coverage}|{selective.RECIPE}"

    def of(self, case: Case) -> Rows | None:
        """Return the counts, or None where it is undefined."""
        return selective.counts(case)

    def corpus(self, sums: Rows) -> Rows:
        """Return 100 times the risk, shape (r,), of sums of shape (r, 202); NaN where undefined."""
        return 100 * selective.risk(sums, self._coverage)

    def item(self, row: Rows) -> None:
        """Return None: one answer has no such value."""
