"""When did it happen?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from doceo.text.figures import DATE, YEAR
from generator.teachers.grammar.segments import Segment
from generator.teachers.statement import Candidate, Statement

_TIME = re.compile(
    rf"(?P<word>in|on|In|On)(?:\s(?:early|mid|late|about|around))?\s(?:the\s(?:early|mid|"
    rf"late)?\s?)?(?:{DATE.pattern}|{YEAR.pattern})"
)


def propose(statement: Statement) -> Iterator[Candidate]:
    """Yield the date that a statement in the past gives for its event."""
    clause = statement.clause
    if (
        not clause.past
        or clause.negated
        or statement.standing < 0.6
        or (clause.base == "have" and clause.form == "have")
    ):
        return
    if clause.copular and not any(s.kind == "np" for s in statement.core):
        return
    core = [s for s in statement.core if s.kind != "paren"]
    if clause.intro[1] and _TIME.fullmatch(statement.intro):
        if len(statement.segments) > len(statement.core) and statement.breaks[0].kind in ("colon",):
            return
        yield from _candidate(statement, statement.intro, core)
        return
    if clause.intro[1]:
        return
    dated = [s for s in core if s.kind == "pp" and _TIME.fullmatch(statement.of(s))]
    if len(dated) == 1:
        yield from _candidate(
            statement,
            statement.of(dated[0]),
            [
                s
                for s in core
                if (s is not dated[0] and s.end <= dated[0].start) or (s.start > dated[0].start and s.kind == "pp")
            ],
        )


def _candidate(statement: Statement, when: str, rest: list[Segment]) -> Iterator[Candidate]:
    if any(s.kind == "to" and statement.clause.tokens[s.start - 1].tag == "NAME" for s in statement.core):
        return
    rest = [s for s in rest if s.kind in ("np", "pp", "that")][:3]
    asked = statement.of(*rest)
    if YEAR.search(asked) or (
        not rest
        and not statement.clause.passive
        and statement.clause.base not in ("die", "begin", "start", "end", "open", "close", "launch", "happen", "occur")
    ):
        return
    if not YEAR.search(when):
        return
    answer = when.split(" ", 1)[1]
    score = 0.9 * statement.weight - 0.01 * max(0, len(asked.split()) - 8)
    yield Candidate(statement.ask("When", *rest, drop_adverbs=True), answer, "date", "medium", score, "when")
