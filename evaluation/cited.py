"""How many citations of a system's answers are exact words of their documents that say what the answer says, by set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product

from doceo.core.records import Answered, Record, SetName
from evaluation.scoring import SETS


class Cited(Record):
    """A system's citations on one set: answers that are no refusal, those with a citation, citations, verified ones.

    A citation counts as the answer gave it, at its first try. The quotes of `quote` are words of a document by the way
    they are made; a model's are not.
    """

    system: str
    set: SetName
    answers: int
    citing: int
    citations: int
    verified: int

    @property
    def words(self) -> str:
        """A line that says so."""
        share = f" ({self.verified / self.citations:.0%})" if self.citations else ""
        return (
            f"{self.system}: {self.verified} of {self.citations} citations verified{share}, "
            f"in {self.citing} of {self.answers} answers"
        )


def cited(answered: Mapping[str, Sequence[Answered]]) -> list[Cited]:
    """Return the citations of every system that has any, set by set, the systems in the order given."""
    found = []
    for set_name, (system, rows) in product(SETS, answered.items()):
        answers = [row.answer for row in rows if row.set == set_name and not row.answer.refused]
        quotes = [citation for answer in answers for citation in answer.citations]
        if quotes:
            found.append(
                Cited(
                    system=system,
                    set=set_name,
                    answers=len(answers),
                    citing=sum(bool(answer.citations) for answer in answers),
                    citations=len(quotes),
                    verified=sum(citation.verified for citation in quotes),
                )
            )
    return found
