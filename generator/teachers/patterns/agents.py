"""Who did it? What does it? By whom or by what?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from doceo.text.verbs import VERBS, third_person
from doceo.text.words import MODALS, closed
from generator.teachers.grammar.segments import Segment
from generator.teachers.grammar.tokens import Token
from generator.teachers.patterns.objects import is_setting
from generator.teachers.statement import Candidate, Statement, tidy

_DEEDS = closed(
    "found create invent design develop write build introduce discover patent propose publish lead establish "
    "start launch coin compose paint acquire buy sponsor maintain own manufacture release succeed win name begin "
    "chair edit direct produce defeat appoint elect"
)
_CAUSES = closed(
    "determine cause control define govern replace produce generate create handle affect limit influence manage "
    "support trigger set drive regulate"
)
_PEOPLE = closed(
    "team maintainer maintainers author developer developers user users administrator administrators committee "
    "trustee court company government group person people engineer engineers owner manager member members "
    "director president secretary leader board agency department office staff editor editors programmer "
    "programmers scientist scientists student students teacher uploader society foundation project teams officer "
    "officers congress"
)

_NO_PEOPLE = closed("charter act law treaty vote decree order press constitution")


def propose(statement: Statement) -> Iterator[Candidate]:
    """Yield who or what acts, from a passive with "by" or from the subject of a deed in the past."""
    clause = statement.clause
    if clause.negated:
        return
    if clause.passive:
        yield from _passive(statement)
    elif clause.past and clause.auxiliary is None and clause.base in _DEEDS and statement.standing >= 0.9:
        yield from _active(statement)


def _passive(statement: Statement) -> Iterator[Candidate]:
    clause = statement.clause
    by = next((s for s in statement.core if s.kind == "pp" and s.word == "by"), None)
    if by is None or statement.standing < 0.6 or clause.intro[1] or by.end - by.start < 2 or clause.base not in VERBS:
        return
    first = clause.tokens[by.start + 1]
    agent = statement.of(by)[3:]
    if (
        clause.tokens[by.start + 1].has_form("ing")
        or first.tag in ("PRON", "POSS", "NUM", "CODE")
        or re.search(r"\b(?:default|hand|means|way|time|then|a few|law|itself)\b|\d$|\W$", agent)
    ):
        return
    person = _is_person(clause.tokens[by.start + 1 : by.end])
    if not person and (
        clause.base not in _CAUSES or len(agent.split()) < 2 or statement.of(*statement.core[:1]) != statement.of(by)
    ):
        return
    verb = _verb(statement)
    if not person and clause.aux in MODALS:
        return
    if not verb or (statement.breaks and statement.breaks[0].kind in ("colon",)):
        return
    if any(s.kind == "np" and s.end <= by.start for s in statement.core):
        return
    before = [s for s in statement.core if s.end <= by.start and s.kind in ("pp", "np")]
    after = [s for s in statement.core if s.start >= by.end and s.kind != "paren"]
    if not all(is_setting(statement, s) for s in after):
        return
    rest = [*before, *after]
    asked = " ".join([statement.subject, statement.of(*rest)]).strip()
    question = tidy(f"{'Who' if person else 'What'} {verb} {asked}") + "?"
    base = 0.85 if person else 0.6
    yield Candidate(
        question,
        tidy(agent),
        "entity" if person else "fact",
        "medium",
        base * statement.weight,
        "by whom",
    )


def _verb(statement: Statement) -> str:
    clause = statement.clause
    helpers = [clause.tokens[i].lower for i in clause.middle]
    if "being" in helpers:
        return ""
    if clause.aux in ("is", "are"):
        return third_person(clause.base)
    if clause.aux in ("was", "were"):
        return VERBS[clause.base].past
    return f"{clause.aux} {clause.base}" if clause.aux in ("can", "may", "must", "should") else ""


def _is_person(found: Sequence[Token]) -> bool:
    end = next((i for i, t in enumerate(found) if t.tag == "PREP"), len(found))
    heads = {t.lower for t in found[:end]}
    if heads & _NO_PEOPLE:
        return False
    names = [t for t in found[:end] if t.tag == "NAME"]
    return bool(heads & _PEOPLE) or (len(names) >= 2 and found[0].tag == "NAME" and found[0].text.isalpha())


def _active(statement: Statement) -> Iterator[Candidate]:
    clause = statement.clause
    first: Segment | None = statement.core[0] if statement.core else None
    subject = clause.tokens[clause.subject.start : clause.subject.end]
    if first is None or first.kind != "np" or not _is_person(list(subject)):
        return
    token = clause.tokens[first.start]
    specific = any(t.tag in ("NAME", "CODE") for t in clause.tokens[first.start : first.end])
    if token.tag in ("PRON", "POSS", "QUANT", "DEM") or not specific:
        return
    kept = [s for s in statement.core if s.kind in ("np", "pp")]
    verb = clause.tokens[clause.main].text if clause.main is not None else ""
    when = [s for s in kept if s is first or s.kind == "pp"][:3]
    yield Candidate(
        tidy(f"Who {verb} {statement.of(*when)}") + "?",
        clause.without(clause.subject.start, clause.subject.end, clause.subject.cut),
        "entity",
        "medium",
        0.85 * statement.standing,
        "who",
    )
