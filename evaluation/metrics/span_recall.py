"""How much of the evidence was found, character by character, whatever the chunks are."""

from __future__ import annotations

from evaluation.case import Case
from evaluation.metric import Group, Mean, PerCase, Rows, mean_row
from evaluation.spans import shared


class SpanRecall(Mean, PerCase):
    """Share of a question's evidence characters inside passages found; statistics (100 share, 1), mean over questions.

    Undefined without passages or evidence.
    """

    name = "span_recall"
    label = "span recall"
    signature = "span-recall|unit:character|k:given|mean:questions|scale:100|v:1"
    group: Group = "retrieval"

    def of(self, case: Case) -> Rows | None:
        """Return (100 share, 1), or None without passages or evidence."""
        evidence = [piece.span for piece in case.question.evidence]
        if not case.answer.hits or not evidence:
            return None
        found = [hit.span for hit in case.answer.hits]
        characters = sum(span.end - span.start for span in evidence)
        return mean_row(100.0 * sum(shared(span, found) for span in evidence) / characters) if characters else None
