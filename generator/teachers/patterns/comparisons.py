"""How do two things differ? Which of them is more?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.teachers.grammar.standing import PRONOUN, refers_elsewhere
from generator.teachers.statement import Candidate, Statement, full, tidy

_MORE = re.compile(
    r"(?:(?:much|far|slightly|usually|often|generally|always)\s)?(?P<more>(?:more|less)\s[a-z]+|[a-z]{2,}er|"
    r"better|worse)\sthan\s(?P<other>[^,;:]+)"
)


def propose(statement: Statement) -> Iterator[Candidate]:
    """Yield the differences that a statement tells."""
    clause = statement.clause
    if statement.standing < 0.5 or clause.negated:
        return
    if match := re.match(
        r"(?:Unlike|In contrast to|Compared with|Compared to|In comparison with)\s(.+)", statement.intro
    ):
        other = match[1]
        if not PRONOUN.search(other) and not refers_elsewhere(other) and len(other.split()) <= 6:
            answer = full(clause.span(clause.subject.start, clause.end))
            yield Candidate(
                f"How {'do' if clause.subject.plural else 'does'} {statement.subject} differ from {other}?",
                answer,
                "comparison",
                "hard",
                0.8 * statement.weight,
                "unlike",
            )
        return
    if clause.intro[1] or not clause.copular or clause.aux not in ("is", "are") or clause.past:
        return
    rest = statement.of(*statement.core)
    match = _MORE.fullmatch(rest)
    if (
        match is None
        or (match["other"].split()[0].lower() in ("a", "an", "the") and len(match["other"].split()) < 2)
        or len(match["other"].split()) > 7
    ):
        return
    if (
        match["more"] in ("other", "rather")
        or PRONOUN.search(match["other"])
        or re.search(r"\d|\bthat\b|\bthose\b|\bexpected\b|\bwhen\b|\bin\b|\bif\b", match["other"])
    ):
        return
    question = f"Which {clause.aux} {match['more']}, {statement.subject} or {match['other']}?"
    yield Candidate(tidy(question), statement.sentence, "comparison", "medium", 0.8 * statement.weight, "which is more")
