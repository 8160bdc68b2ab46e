"""How many citations are verified."""

from __future__ import annotations

from evaluation.case import Case
from evaluation.metric import Group, Mean, PerCase, Rows, share_row


class Verified(Mean, PerCase):
    """Share of citations that are words of their document and say what the answer says, as code found.

    Statistics: (100 verified, citations) of an answer; undefined for one without citations.
    """

    name = "verified"
    label = "verified"
    signature = "verified|unit:citation|scale:100|v:1"
    group: Group = "evidence"

    def of(self, case: Case) -> Rows | None:
        """Return (100 verified, citations), or None without citations."""
        citations = case.answer.citations
        return share_row(sum(citation.verified for citation in citations), len(citations))
