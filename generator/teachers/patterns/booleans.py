"""Can it? Must it? Does it? Only where the statement denies it, so that the question does not hold its answer."""

from __future__ import annotations

from collections.abc import Iterator

from doceo.text.words import closed
from generator.teachers.statement import Candidate, Statement, tidy

_ASKED = {
    "must": "May",
    "may": "May",
    "can": "Can",
    "cannot": "Can",
    "should": "Should",
    "does": "Does",
    "do": "Do",
    "is": "Is",
    "are": "Are",
}
_LIMITING = closed(
    "any yet but only all every each no necessarily much very as anything anyone otherwise directly part never merely"
)


def propose(statement: Statement) -> Iterator[Candidate]:
    """Yield the yes-no question that a negated statement answers with no."""
    clause = statement.clause
    if not clause.negated or clause.intro[1] or statement.standing < 0.7 or not _is_plain(statement):
        return
    between = [clause.tokens[i].text for i in clause.middle if clause.tokens[i].tag != "NEG"]
    main = clause.tokens[clause.main].text if clause.main is not None else ""
    words = [_ASKED[clause.aux], statement.subject, *between, main, statement.of(*statement.core)]
    question = tidy(" ".join(word for word in words if word)) + "?"
    answer = f"No, {statement.lowered(statement.sentence, clause.tokens[0])}"
    yield Candidate(question, answer, "boolean", "medium", 0.72 * statement.weight, "no")


def _is_plain(statement: Statement) -> bool:
    """Tell whether the whole clause is denied, without exception or condition."""
    clause, core = statement.clause, statement.core
    if clause.aux not in _ASKED or not core or clause.tokens[core[-1].end - 1].tag == "ADV":
        return False
    if (clause.main is None and clause.base == "have") or clause.base in ("mean", "matter"):
        return False
    if clause.copular and core[0].kind != "np":
        return False
    if any(s.kind != "sub" or not statement.of(s).startswith(("because", "since")) for s in statement.breaks):
        return False
    said = [clause.tokens[i] for i in clause.middle] + list(clause.tokens[clause.rest : core[-1].end])
    return not any(t.lower in _LIMITING for t in said) and not any(clause.tokens[i].tag == "ADV" for i in clause.middle)
