"""Where is it? What is it called?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from doceo.text.words import closed
from generator.teachers.statement import Candidate, Statement, capital, tidy, unquoted

_PLACES = closed("store locate find keep install place write headquarter base hold bear save put")
_PLACED = ("in", "at", "under", "inside", "on")
_NO_PLACE = re.compile(
    r"\A\w+\s(?:\w+\s)?\d{4}\b|Materials|Appendix|Handbook|Manual|Guide|[Ss]ection|evidence|basis|order|advance|case|"
    r"the same|general|detail|way|terms|form|more than|a single|favou?r|time|many|\bwhose\b"
)


def propose(statement: Statement) -> Iterator[Candidate]:
    """Yield where the subject of a passive statement stands, and the name that it gives."""
    clause = statement.clause
    if clause.intro[1] or statement.standing < 0.6 or not statement.core or not clause.passive or clause.negated:
        return
    if any(s.kind in ("and", "colon") for s in statement.breaks):
        return
    yield from _where(statement)
    yield from _called(statement)


def _where(statement: Statement) -> Iterator[Candidate]:
    clause, first = statement.clause, statement.core[0]
    if clause.base not in _PLACES or first.kind != "pp" or first.word not in _PLACED:
        return
    if (clause.base == "base" and first.word == "on") or (clause.past and statement.standing < 0.9):
        return
    if clause.aux not in ("is", "are", "was", "were") and any(s.kind == "sub" for s in statement.breaks):
        return
    place = statement.of(*[s for s in statement.core if s.kind == "pp"])
    if _NO_PLACE.search(place) or len(place.split()) < 2:
        return
    question = statement.ask("Where", drop_adverbs=True)
    yield Candidate(question, capital(tidy(place)), "fact", "medium", 0.82 * statement.weight, "where")


def _called(statement: Statement) -> Iterator[Candidate]:
    clause, first = statement.clause, statement.core[0]
    named = clause.base in ("call", "name", "term", "dub") and first.kind == "np"
    known = clause.base == "know" and first.word == "as"
    if not (named or known) or clause.aux not in ("is", "are", "was", "were"):
        return
    name = statement.of(first).removeprefix("as ")
    if len(name.split()) > 6 or clause.subject.end - clause.subject.start < 2 or clause.main is None:
        return
    verb = "known as" if known else clause.tokens[clause.main].text
    question = tidy(f"What {clause.aux} {statement.subject} {verb}") + "?"
    yield Candidate(question, unquoted(tidy(name)), "entity", "medium", 0.75 * statement.weight, "called")
