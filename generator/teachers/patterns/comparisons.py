"""How do two things differ? Which of them is more?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.teachers.grammar.standing import PRONOUN, refers_elsewhere
from generator.teachers.statement import Candidate, Statement, full, tidy

_UNLIKE = re.compile(r"(?:Unlike|In contrast to|Compared with|Compared to|In comparison with)\s(?P<other>.+)")
_MORE = re.compile(
    r"(?:(?:much|far|slightly|usually|often|generally|always)\s)?"
    r"(?P<more>(?:more|less)\s[a-z]+|(?!other|rather)[a-z]{2,}er|worse)\sthan\s(?P<other>[^,;:]+)"
)
_NO_OTHER = re.compile(r"\d|\b(?:that|those|expected|when|in|if)\b|\A(?:a|an|the)\Z")


def propose(statement: Statement) -> Iterator[Candidate]:
    """Yield the differences that a statement tells."""
    clause = statement.clause
    if statement.standing < 0.5 or clause.negated:
        return
    if clause.intro[1]:
        yield from _differ(statement)
    elif clause.copular and clause.aux in ("is", "are"):
        yield from _is_more(statement)


def _differ(statement: Statement) -> Iterator[Candidate]:
    match, clause = _UNLIKE.match(statement.intro), statement.clause
    if match is None or not _stands(match["other"], 6):
        return
    answer = full(clause.span(clause.subject.start, clause.end))
    do = "do" if clause.subject.plural else "does"
    question = f"How {do} {statement.subject} differ from {match['other']}?"
    yield Candidate(question, answer, "comparison", "hard", 0.8 * statement.weight, "unlike")


def _is_more(statement: Statement) -> Iterator[Candidate]:
    match, subject = _MORE.fullmatch(statement.of(*statement.core)), statement.clause.subject
    if match is None or not _stands(match["other"], 7) or _NO_OTHER.search(match["other"]):
        return
    if (
        subject.end - subject.start < 2
        and not subject.plural
        and not statement.terms.is_capitalised(statement.head.text)
    ):
        return
    question = tidy(f"Which {statement.clause.aux} {match['more']}, {statement.subject} or {match['other']}") + "?"
    yield Candidate(question, statement.sentence, "comparison", "medium", 0.8 * statement.weight, "which is more")


def _stands(other: str, most: int) -> bool:
    return len(other.split()) <= most and not PRONOUN.search(other) and not refers_elsewhere(other)
