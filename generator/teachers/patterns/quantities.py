"""How many, how long, how much, how often?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from doceo.text.figures import MONEY, NUMBER, PERCENT, QUANTITY
from doceo.text.words import closed, is_plural
from generator.teachers.grammar.segments import Segment
from generator.teachers.statement import Candidate, Statement, tidy

_NOT_VERBS = closed("be become remain mean equal add subtract")
_HEDGE = (
    r"(?:about|around|approximately|roughly|nearly|almost|over|more than|less than|fewer than|at least|at most|"
    r"up to|exactly|only|some)\s"
)
_NUMBERED = re.compile(
    rf"(?P<n>(?:{_HEDGE})?(?:{NUMBER.pattern}))\s(?P<noun>(?:[a-z][\w-]*\s){{0,2}}?[a-z][\w-]*s|people|"
    rf"children|men|women)(?P<rest>(?:\s(?:of|in|for|on|from|per|that|a|an|with|at|to)\b.*)?)",
    re.I,
)
_UNIT = re.compile(
    rf"(?:{_HEDGE})?(?:{QUANTITY.pattern}|{PERCENT.pattern}|{MONEY.pattern})(?:\s(?:per|a|an|of|each)\s\w+(?:\s\w+)?)?",
    re.I,
)
_MEASURED = re.compile(
    rf"(?P<n>{_UNIT.pattern}(?:\s\([^()]+\))?)\s(?P<quality>tall|long|wide|high|deep|thick|old|large|heavy)", re.I
)
_TIME_UNIT = re.compile(r"\b(?:seconds?|minutes?|hours?|days?|weeks?|months?|years?|ms)\b", re.I)
_NOT_COUNTED = closed("times days years months weeks hours minutes seconds percent bytes ways reasons")


def propose(statement: Statement) -> Iterator[Candidate]:
    """Yield the numbers that a statement gives."""
    clause = statement.clause
    if statement.standing < 0.45 or clause.negated or not statement.core:
        return
    first = statement.core[0]
    if statement.opens_freely:
        yield from _how_tall(statement)
    if first.kind == "np" and clause.base not in _NOT_VERBS and not clause.passive and clause.form != "ing":
        yield from _how_many(statement, first)
    if clause.base in ("take", "last", "cost") and first.kind == "np":
        yield from _how_much(statement, first)


def _how_tall(statement: Statement) -> Iterator[Candidate]:
    """Yield the measure of "The module was 3.48 m tall"."""
    clause = statement.clause
    match = _MEASURED.fullmatch(statement.of(*statement.core))
    if (
        match is None
        or not clause.copular
        or clause.aux not in ("is", "are", "was", "were")
        or statement.standing < 0.7
    ):
        return
    question = tidy(f"How {match['quality']} {clause.aux} {statement.subject} {statement.setting}") + "?"
    yield Candidate(
        question, f"{match['n']} {match['quality']}", "quantity", "easy", 0.8 * statement.weight, "how tall"
    )


def _how_many(statement: Statement, first: Segment) -> Iterator[Candidate]:
    match = _NUMBERED.fullmatch(statement.of(first))
    if match is None or match["noun"].lower().split()[-1] in _NOT_COUNTED or not is_plural(match["noun"]):
        return
    noun = match["noun"]
    if (
        noun.split()[0].lower() in ("of", "a", "an", "the", "and", "or", "to", "in", "more", "other")
        or (statement.clause.intro[1] and not statement.setting)
        or (statement.is_topic and statement.clause.base not in ("have", "contain", "consist", "comprise", "include"))
    ):
        return
    after = [s for s in statement.core[1:] if s.kind in ("pp", "to")][:2]
    if any(s.kind not in ("pp", "paren", "to") for s in statement.core[1:]):
        return
    question = statement.ask(f"How many {noun}{match['rest'] if match['rest'].startswith(' of') else ''}", *after)
    yield Candidate(question, f"{match['n']} {noun}", "quantity", "medium", 0.85 * statement.weight, "how many")


def _how_much(statement: Statement, first: Segment) -> Iterator[Candidate]:
    text = statement.of(first)
    if not _UNIT.fullmatch(text) or statement.clause.intro[1]:
        return
    rest = [s for s in statement.core[1:] if s.kind in ("to", "pp")]
    how = "How long" if _TIME_UNIT.search(text) else "How much"
    yield Candidate(statement.ask(how, *rest), tidy(text), "quantity", "medium", 0.85 * statement.weight, "how long")
