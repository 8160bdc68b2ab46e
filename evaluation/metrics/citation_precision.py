"""How many citations point at the evidence of their question."""

from __future__ import annotations

from evaluation.case import Case
from evaluation.metric import Group, Mean, PerCase, Rows, share_row
from evaluation.spans import touches


class CitationPrecision(Mean, PerCase):
    """Share of citations whose quote has a character in common with the question's evidence.

    Statistics: (100 touching, citations) of an answer; undefined without citations or evidence. Evidence is what one
    writer of the question had before them: a citation of another place that says the same counts against it here.
    """

    name = "citation_precision"
    label = "citation precision"
    signature = "citation-precision|unit:citation|rel:touches-evidence|scale:100|v:1"
    group: Group = "evidence"

    def of(self, case: Case) -> Rows | None:
        """Return (100 touching, citations), or None without citations or evidence."""
        evidence, citations = case.question.evidence, case.answer.citations
        if not evidence:
            return None
        right = sum(any(touches(citation.span, piece.span) for piece in evidence) for citation in citations)
        return share_row(right, len(citations))
