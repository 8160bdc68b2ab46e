"""How often it was decided rightly to answer, or not to."""

from __future__ import annotations

from evaluation.case import Case
from evaluation.metric import Group, Mean, PerCase, Rows, mean_row


class Decided(Mean, PerCase):
    """Share of questions that were answered where the documents answer them, and refused where they do not.

    What an answer says does not count.

    Undefined where a server would not take the question, so that nobody decided, and where nothing is known of the
    right answer, so that nobody knows whether there is one.
    """

    name = "decided"
    label = "decided"
    signature = "decided|right:answered-if-answerable-else-refused|unit:question|scale:100|v:1"
    group: Group = "refusal"

    def of(self, case: Case) -> Rows | None:
        """Return (0 or 100, 1), or None where nothing was decided."""
        if case.answer.failed or not case.references:
            return None
        return mean_row(100.0 * (case.answer.refused != case.question.answerable))
