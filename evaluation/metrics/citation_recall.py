"""How much of a question's evidence its answer cites."""

from __future__ import annotations

from evaluation.case import Case
from evaluation.metric import Group, Mean, PerCase, Rows, share_row
from evaluation.spans import touches


class CitationRecall(Mean, PerCase):
    """Share of the pieces of evidence that a citation's quote has a character in common with.

    Statistics: (100 touched, pieces) of a question; undefined without evidence, and for answers without documents. A
    refusal cites nothing, and so misses all of it.
    """

    name = "citation_recall"
    label = "citation recall"
    signature = "citation-recall|unit:piece|rel:touches-evidence|refusals:miss|scale:100|v:1"
    group: Group = "evidence"

    def of(self, case: Case) -> Rows | None:
        """Return (100 touched, pieces), or None without evidence or documents."""
        if not case.over_documents:
            return None
        evidence, citations = case.question.evidence, case.answer.citations
        found = sum(any(touches(citation.span, piece.span) for citation in citations) for piece in evidence)
        return share_row(found, len(evidence))
