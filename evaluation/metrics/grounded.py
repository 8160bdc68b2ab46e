"""How much of what answers say stands in the text that they cite."""

from __future__ import annotations

from doceo.text.sentences import sentences
from doceo.text.support import Statement, backed, content
from evaluation.case import Case
from evaluation.metric import Group, Mean, PerCase, Rows, share_row

_BARE = content("yes no")


class Grounded(Mean, PerCase):
    """Share of sentences that the quotes of their answer support, by words, numbers and names (`doceo.text.support`).

    Numbers and names of the question and of the headings above a quote need not stand in the quote too. Statistics:
    (100 supported, sentences) of an answer, without headings and sentences that say nothing by themselves ("Yes.").
    Undefined for refusals, and for answers without documents; one over documents that cites nothing has no support.
    """

    name = "grounded"
    label = "grounded"
    signature = "grounded|unit:sentence|by:half-the-words+numbers+names|of:quotes|given:question+headings|scale:100|v:1"
    group: Group = "evidence"

    def of(self, case: Case) -> Rows | None:
        """Return (100 supported, sentences), or None where there is nothing to support."""
        if case.answer.refused or not case.over_documents:
            return None
        said = [Statement.of(case.text[s.start : s.end]) for s in sentences(case.text) if s.kind != "heading"]
        claims = [statement for statement in said if statement.terms - _BARE]
        citations = case.answer.citations
        quoted = "\n".join(citation.quote for citation in citations)
        headings = [heading for citation in citations for heading in (citation.title, *citation.heading_path)]
        known = "\n".join([case.question.question, *headings])
        return share_row(sum(backed(claim, quoted, known) for claim in claims), len(claims))
