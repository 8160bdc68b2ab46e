"""What is it divided into, surrounded by, responsible for? A relation that a preposition names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from doceo.text.words import closed
from generator.teachers.grammar.people import is_person
from generator.teachers.patterns.objects import breaks_off, is_setting
from generator.teachers.statement import Candidate, Statement, full, tidy

_RELATED: dict[str, frozenset[str]] = {
    "into": closed("divide split separate convert translate transform organize break turn group compile integrate cut"),
    "as": closed(
        "use describe regard define classify treat recognize see view serve consider interpret depict portray"
    ),
    "with": closed("replace combine fill cover equip compare pair surround supply connect"),
    "from": closed(
        "derive make build develop descend take obtain form extract produce construct collect protect exclude"
    ),
    "of": closed("make compose comprise"),
    "on": closed("base model focus found mount"),
    "to": closed("limit attach apply restrict relate link attribute connect bind refer assign reduce"),
    "for": closed("know responsible note award criticize criticise praise name blame reserve design"),
    "by": closed(
        "surround cover protect replace cause power form "
        "control govern regulate determine limit separate bound define produce catalyze require "
        "connect carry inspire defend fund pollinate activate trigger transmit absorb"
    ),
}
_QUALITY = re.compile(
    r"(?P<quality>(?:(?:also|mainly|primarily|largely|chiefly) )?(?:"
    r"(?:responsible|famous|necessary|liable) for|"
    r"(?:similar|home|equivalent|proportional|native|unique|adjacent|sensitive|resistant|immune|"
    r"accountable|analogous|identical|vulnerable) to|"
    r"(?:capable|independent|representative) of|dependent on|rich in)) (?P<what>.+)"
)
_OFTEN = closed("often sometimes usually commonly frequently typically generally also")
_PURPOSE = closed("use need design build create intend establish found develop construct set")


def propose(statement: Statement) -> Iterator[Candidate]:
    """Yield what the subject of a passive or copular statement is related to."""
    clause = statement.clause
    if (
        clause.negated
        or clause.aux in ("may", "might", "can", "could", "will", "would")
        or not statement.opens_freely
        or not statement.core
        or statement.standing < 0.7
    ):
        return
    if clause.past and statement.standing < 0.85 and not statement.setting:
        return
    if any(s.kind == "colon" for s in statement.breaks[:1]) or breaks_off(statement):
        return
    if clause.passive:
        yield from _passive(statement)
    elif clause.copular and clause.aux in ("is", "are", "was", "were"):
        yield from _copular(statement)


def _passive(statement: Statement) -> Iterator[Candidate]:
    clause, core = statement.clause, [s for s in statement.core if s.kind != "paren"]
    if not core or any(s.kind not in ("pp", "to") for s in core):
        return
    first = core[0]
    if first.kind == "to":
        yield from _purpose(statement)
        return
    if any(clause.tokens[i].lower in _OFTEN for i in clause.middle) or clause.base not in _RELATED.get(first.word, ()):
        return
    at = next((n for n, s in enumerate(core) if n and is_setting(statement, s)), len(core))
    found = clause.tokens[first.start + 1 : first.end]
    answer = statement.of(*core[:at]).split(" ", 1)[-1]
    if len(answer.split()) < 2 or is_person(found) or found[0].has_form("ing") or statement.is_topic:
        return
    rest = " ".join(part for part in (first.word, statement.of(*core[at:]), statement.setting) if part)
    question = tidy(f"{statement.ask('What', bare=True).removesuffix('?')} {rest}") + "?"
    yield Candidate(question, tidy(answer), "fact", "medium", 0.72 * statement.weight, "related")


def _purpose(statement: Statement) -> Iterator[Candidate]:
    clause = statement.clause
    if (
        clause.base not in _PURPOSE
        or clause.aux not in ("was", "were", "has", "have", "can", "may")
        or statement.is_topic
    ):
        return
    answer = statement.of(*statement.core)
    if len(answer.split()) < 4 or answer.startswith("to be "):
        return
    question = tidy(f"{statement.ask('What', bare=True).removesuffix('?')} for {statement.setting}") + "?"
    yield Candidate(question, full(answer), "reason", "medium", 0.78 * statement.weight, "purpose past")


def _copular(statement: Statement) -> Iterator[Candidate]:
    clause = statement.clause
    match = _QUALITY.fullmatch(statement.of(*statement.core))
    if match is None or len(match["what"].split()) < 2 or statement.is_topic:
        return
    quality = match["quality"].removeprefix("also ")
    question = tidy(f"What {clause.aux} {statement.subject} {quality} {statement.setting}") + "?"
    yield Candidate(question, tidy(match["what"]), "fact", "medium", 0.72 * statement.weight, "quality")
