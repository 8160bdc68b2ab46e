"""Can it? Must it? Does it? Only where the statement denies it, so that the question does not hold its answer."""

from __future__ import annotations

from collections.abc import Iterator

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
    "will": "Will",
}


def propose(statement: Statement) -> Iterator[Candidate]:
    """Yield the yes-no question that a negated statement answers with no."""
    clause = statement.clause
    if not clause.negated or clause.intro[1] or statement.standing < 0.7 or clause.aux not in _ASKED:
        return
    others = [clause.tokens[i] for i in clause.middle if clause.tokens[i].tag != "NEG"]
    if any(token.tag == "ADV" for token in others) or any(clause.tokens[i].lower == "never" for i in clause.middle):
        return
    if any(
        s.kind in ("and", "colon", "tail") or (s.kind == "sub" and not statement.of(s).startswith(("because", "since")))
        for s in statement.breaks
    ) or any(
        t.lower
        in (
            "any",
            "yet",
            "but",
            "only",
            "all",
            "every",
            "each",
            "no",
            "necessarily",
            "much",
            "very",
            "as",
            "anything",
            "anyone",
            "otherwise",
            "directly",
            "part",
        )
        for t in clause.tokens[clause.rest : clause.end]
    ):
        return
    if not statement.core or clause.tokens[statement.core[-1].end - 1].tag == "ADV":
        return
    if (clause.copular and (not statement.core or statement.core[0].kind != "np")) or clause.base in ("mean", "matter"):
        return
    main = clause.tokens[clause.main].text if clause.main is not None else ""
    if clause.base == "have" and clause.main is None:
        return
    words = [
        _ASKED[clause.aux],
        statement.subject,
        *[token.text for token in others],
        main,
        statement.of(*statement.core),
    ]
    yield Candidate(
        tidy(" ".join(word for word in words if word)) + "?",
        f"No, {_decapitalised(statement)}",
        "boolean",
        "medium",
        0.72 * statement.weight,
        "no",
    )


def _decapitalised(statement: Statement) -> str:
    return statement.lowered(statement.sentence, statement.clause.tokens[0])
