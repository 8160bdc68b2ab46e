"""Where is it? What is it called?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from doceo.text.words import closed
from generator.teachers.grammar.people import is_person
from generator.teachers.grammar.segments import Segment
from generator.teachers.patterns.objects import breaks_off
from generator.teachers.statement import Candidate, Statement, capital, tidy, unquoted

_PLACES = closed("store locate find keep install place write headquarter base hold bear save put")
_PLACED = ("in", "at", "under", "inside", "on")
_STAYS = closed("become remain seem stay")
_DONE = closed("build open establish found make hold sign create defeat kill write publish launch gather construct")
_BODY = re.compile(r"\b(?:League|Congress|Parliament|Party|Army|Navy|Act|titled|called|named|interest|stake|share)\b")
_STANDS = closed(
    "lie live stand reside die settle emigrate flee retreat study teach stay occur arrive meet land originate "
    "grow open take move travel return sail march graduate serve work"
)
_MOVES = closed("move travel return emigrate flee retreat march sail")
_STANDING = ("in", "at", "on", "near", "between", "along", "to", "from", "within", "around")
_NO_PLACE = re.compile(
    r"\A\w+\s(?:\w+\s)?\d{4}\b|\b(?:January|February|March|April|May|June|July|August|September|October|November|December)\b|\[|Materials|Appendix|Handbook|Manual|Guide|[Ss]ection|evidence|basis|order|advance|case|"
    r"the same|general|detail|way|terms|form|more than|a single|favou?r|time|many|level|\bwhose\b"
)


def propose(statement: Statement) -> Iterator[Candidate]:
    """Yield where the subject of a passive statement stands, and the name that it gives."""
    clause = statement.clause
    also = any(clause.tokens[i].lower == "also" for i in clause.middle)
    if statement.standing < 0.6 or not statement.core or clause.negated or also:
        return
    if clause.base in _STANDS and not clause.passive and clause.form != "ing":
        yield from _stands(statement)
    yield from _done(statement)
    if clause.intro[1] or not clause.passive:
        return
    if any(s.kind in ("and", "colon") for s in statement.breaks):
        return
    yield from _where(statement)
    yield from _called(statement)


def _done(statement: Statement) -> Iterator[Candidate]:
    """Yield where a deed was done: "The army was defeated in Saxony", "He gathered his forces in Persia"."""
    clause, core = statement.clause, [s for s in statement.core if s.kind != "paren"]
    if (
        not clause.past
        or clause.form in ("ing", "have", "be")
        or clause.base in _STAYS
        or statement.standing < 0.85
        or not statement.opens_freely
    ):
        return
    if not core or any(s.kind not in ("np", "pp") for s in core) or (not clause.passive and core[0].kind != "np"):
        return
    placed = [s for s in core if s.kind == "pp" and s.word in ("in", "at", "near") and _is_place(statement, s)]
    if len(placed) != 1 or (core.index(placed[0]) == 0 and not clause.passive) or breaks_off(statement):
        return
    if _BODY.search(statement.of(*core)):
        return
    rest = [s for s in core if s is not placed[0]]
    if any(s.word == "as" for s in rest) or not (clause.passive or clause.base in _DONE):
        return
    if not rest and not statement.setting and statement.is_topic:
        return
    question = statement.ask("Where", *rest)
    place = capital(tidy(statement.of(placed[0])))
    yield Candidate(question, place, "fact", "medium", 0.73 * statement.weight, "done where")


def _is_place(statement: Statement, segment: Segment) -> bool:
    found = [t for t in statement.clause.tokens[segment.start + 1 : segment.end] if t.tag != "DET"]
    names = found and all(t.tag == "NAME" and t.text.isalpha() and not t.text.isupper() for t in found)
    return bool(names) and len(found) <= 4 and not _NO_PLACE.search(statement.of(segment)) and not is_person(found)


def _where(statement: Statement) -> Iterator[Candidate]:
    clause, first = statement.clause, statement.core[0]
    if clause.base not in _PLACES or first.kind != "pp" or first.word not in _PLACED:
        return
    if (clause.base == "base" and first.word == "on") or (clause.past and statement.standing < 0.9):
        return
    if clause.aux not in ("is", "are", "was", "were") and any(s.kind == "sub" for s in statement.breaks):
        return
    place = statement.of(*[s for s in statement.core if s.kind == "pp"])
    place = re.sub(r"\s\([^()]{25,}\)", "", place)
    if _NO_PLACE.search(place) or len(place.split()) < 2:
        return
    question = statement.ask("Where", drop_adverbs=True)
    yield Candidate(question, capital(tidy(place)), "fact", "medium", 0.82 * statement.weight, "where")


def _stands(statement: Statement) -> Iterator[Candidate]:
    """Yield where something lies or happened: "The park lies on the bank of the river"."""
    clause, core = statement.clause, [s for s in statement.core if s.kind != "paren"]
    if (
        statement.standing < 0.85
        or (clause.base in _MOVES and not clause.past)
        or (clause.intro[1] and not statement.setting)
        or not core
    ):
        return
    if any(s.kind != "pp" for s in core) or (statement.is_topic and not statement.setting):
        return
    dated = [s for s in core if re.search(r"\b\d{4}\b|\bcentury\b", statement.of(s))]
    placed = [s for s in core if s not in dated]
    first = clause.tokens[placed[0].start + 1] if placed else None
    if first is None or placed[0].word not in _STANDING or _NO_PLACE.search(statement.of(*placed)):
        return
    if not any(t.tag == "NAME" for t in clause.tokens[placed[0].start + 1 : placed[0].end]) or len(placed) > 2:
        return
    place = statement.of(*placed)
    if clause.base in _MOVES and placed[0].word == "to":
        place = place.removeprefix("to ")
    question = statement.ask("Where", *dated)
    yield Candidate(question, capital(tidy(place)), "fact", "medium", 0.76 * statement.weight, "stands")


def _called(statement: Statement) -> Iterator[Candidate]:
    clause, first = statement.clause, statement.core[0]
    named = clause.base in ("call", "name", "term", "dub") and first.kind == "np"
    known = clause.base == "know" and first.word == "as"
    if not (named or known) or clause.aux not in ("is", "are", "was", "were"):
        return
    name = statement.of(first).removeprefix("as ")
    if len(name.split()) > 6 or clause.subject.end - clause.subject.start < 2 or clause.main is None:
        return
    verb = "known as" if known else clause.tokens[clause.main].text
    question = tidy(f"What {clause.aux} {statement.subject} {verb}") + "?"
    yield Candidate(question, unquoted(tidy(name)), "entity", "medium", 0.75 * statement.weight, "called")
