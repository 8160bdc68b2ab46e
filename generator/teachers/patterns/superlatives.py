"""Which one is the largest, the first, the recommended one?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.teachers.grammar.standing import PRONOUN, refers_elsewhere
from generator.teachers.statement import Candidate, Statement, tidy

_BEST = re.compile(
    r"the (?:world's |only |single |second |third )?(?:\w+est|most \w+|least \w+|first|only|default|"
    r"recommended|oldest|official|main|best|worst) "
)


def propose(statement: Statement) -> Iterator[Candidate]:
    """Yield the question whose answer is the named subject: "X is the largest Y of Z"."""
    clause = statement.clause
    if (
        not clause.copular
        or clause.negated
        or clause.intro[1]
        or clause.middle
        or statement.standing < 0.9
        or clause.aux not in ("is", "was", "are", "were")
    ):
        return
    first = clause.tokens[clause.subject.start]
    if (
        first.tag not in ("NAME", "CODE")
        or clause.subject.end - clause.subject.start > 6
        or any(s.kind in ("and", "colon") for s in statement.breaks)
    ):
        return
    rest = statement.of(*statement.core)
    if (
        not _BEST.match(rest)
        or not re.search(r"\b(?:of|in|for|to|that|on)\b", rest)
        or len(rest.split()) < 5
        or PRONOUN.search(rest)
        or refers_elsewhere(rest)
    ):
        return
    if re.match(r"the (?:most|best|first|only|main) (?:important|common|popular|widely|part|step|thing|one)\b", rest):
        return
    yield Candidate(tidy(f"What {clause.aux} {rest}") + "?", statement.subject, "entity", "medium", 0.85, "superlative")
