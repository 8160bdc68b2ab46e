"""Why does it happen? What is it for? How is it done?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from doceo.text.verbs import base_of
from doceo.text.words import closed
from generator.teachers.statement import Candidate, Statement, full, tidy

_FOR_USE = closed("use need design intend mean serve")


def propose(statement: Statement) -> Iterator[Candidate]:
    """Yield reasons (because, so that), purposes (used to, designed to) and means (by doing)."""
    if statement.standing < 0.5:
        return
    yield from _why(statement)
    yield from _purpose(statement)
    yield from _means(statement)


def _why(statement: Statement) -> Iterator[Candidate]:
    clause = statement.clause
    if not statement.breaks or clause.intro[1]:
        return
    cause = statement.breaks[0]
    text = statement.of(cause)
    opener = re.match(r"because(?! of)|so that\b|since\b(?=\s[a-z])", text)
    if (
        not opener
        or len(text.split()) < 4
        or (opener.group() == "since" and (clause.past or cause.word != "," or re.search(r"\d{4}", text)))
    ):
        return
    answer = f"Because {text[len('since') :].strip()}" if opener.group() == "since" else text
    if clause.copular and statement.core and statement.core[0].kind == "np" and clause.tokens[clause.rest].tag == "DET":
        return
    if (not statement.core and clause.passive) or (
        statement.core
        and clause.tokens[statement.core[-1].end - 1].lower
        in ("merely", "only", "simply", "just", "solely", "partly", "mainly")
    ):
        return
    yield Candidate(
        statement.ask("Why", *statement.core), full(answer), "reason", "hard", 0.9 * statement.weight, "why"
    )


def _purpose(statement: Statement) -> Iterator[Candidate]:
    clause = statement.clause
    if (
        not clause.passive
        or clause.negated
        or clause.base not in _FOR_USE
        or not statement.core
        or clause.intro[1]
        or clause.aux not in ("is", "are")
    ):
        return
    first = statement.core[0]
    purpose = first.kind == "to" or (first.kind == "pp" and first.word == "for")
    if (
        not purpose
        or (clause.base in ("need", "mean") and first.kind != "to")
        or len(statement.of(first).split()) < 3
        or re.match(r"to be\b", statement.of(first))
    ):
        return
    if any(s.kind == "colon" for s in statement.breaks):
        return
    after = statement.of(*statement.core)
    verb = {
        "use": "used for",
        "need": "needed for",
        "design": "designed for",
        "intend": "intended for",
        "mean": "meant for",
        "serve": "served for",
    }[clause.base]
    question = tidy(f"What {clause.aux} {statement.subject} {verb}") + "?"
    yield Candidate(question, full(after), "reason", "medium", 0.85 * statement.weight, "purpose")


def _means(statement: Statement) -> Iterator[Candidate]:
    clause = statement.clause
    if clause.copular or clause.negated or clause.intro[1] or clause.base == "have":
        return
    for n, segment in enumerate(statement.core):
        if (
            segment.kind == "pp"
            and segment.word == "by"
            and segment.start + 1 < clause.end
            and base_of(clause.tokens[segment.start + 1].lower, "ing")
        ):
            if (
                n == 0
                and not clause.passive
                and clause.base
                not in ("end", "start", "begin", "work", "learn", "improve", "succeed", "fail", "operate")
            ):
                return
            rest = list(statement.core[:n])
            if any(s.kind in ("and", "colon", "tail") for s in statement.breaks):
                return
            answer = full(statement.of(*statement.core[n:]))
            yield Candidate(
                statement.ask("How", *rest, drop_adverbs=True),
                answer,
                "procedure",
                "medium",
                0.85 * statement.weight,
                "how by",
            )
            return
