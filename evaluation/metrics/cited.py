"""How many answers cite anything."""

from __future__ import annotations

from evaluation.case import Case
from evaluation.metric import Group, Mean, PerCase, Rows, mean_row


class Cited(Mean, PerCase):
    """Share of answers with a citation. Undefined for refusals, and for answers without documents."""

    name = "cited"
    label = "cited"
    signature = "cited|unit:answer|refusals:no|scale:100|v:1"
    group: Group = "evidence"

    def of(self, case: Case) -> Rows | None:
        """Return (0 or 100, 1), or None for a refusal."""
        if case.answer.refused or not case.over_documents:
            return None
        return mean_row(100.0 * bool(case.answer.citations))
