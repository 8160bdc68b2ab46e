"""How often nothing is answered."""

from __future__ import annotations

from evaluation.case import Case
from evaluation.metric import Better, Group, Mean, PerCase, Rows, mean_row


class Refused(Mean, PerCase):
    """Share of refusals; whether fewer are better depends on what can be answered (`decided`).

    Undefined where a server would not take the question.
    """

    name = "refused"
    label = "refused"
    signature = "refused|unit:answer|scale:100|v:1"
    group: Group = "refusal"
    better: Better = ""

    def of(self, case: Case) -> Rows | None:
        """Return (0 or 100, 1), or None where nothing was asked."""
        if case.answer.failed:
            return None
        return mean_row(100.0 * case.answer.refused)
