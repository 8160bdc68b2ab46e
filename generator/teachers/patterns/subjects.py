"""Who did it? Which college? Who is the president of X? The subject of an ordinary statement, where it is named."""

from __future__ import annotations

import re
from collections.abc import Iterator

from doceo.text.figures import YEAR
from doceo.text.words import MODALS, closed
from generator.teachers.grammar.people import ROLES, body_noun, is_person
from generator.teachers.patterns.objects import DEEDS
from generator.teachers.statement import MONTH, Candidate, Statement, tidy

_STATES = closed(
    "be have seem appear remain become mean want need know like think feel lie belong include exist "
    "support use oppose attend argue contain provide say promote continue"
)
_PLACED = closed("locate base situate name call title entitle dedicate house know")
_ROLE = re.compile(r"(?:the|a|an)\s(?:[\w'’-]+\s){0,3}?(?P<role>[a-z]+)\s(?:of|for|at)\s.+")


def propose(statement: Statement) -> Iterator[Candidate]:
    """Yield who a statement is about, where the rest of it says enough to tell."""
    clause = statement.clause
    phrase = clause.subject
    subject = list(clause.tokens[phrase.start : phrase.head + 1])
    if clause.negated or statement.standing < 0.9 or subject[0].lower in ("a", "an") or not statement.core:
        return
    if not statement.opens_freely:
        return
    if clause.copular:
        yield from _role(statement)
        return
    whole = clause.tokens[phrase.start : phrase.end]
    if not clause.past or clause.aux in MODALS or any(t.tag == "ADV" or t.lower in ("and", "or") for t in whole):
        return
    person, noun = is_person(subject), body_noun(subject)
    if not (person or noun) or phrase.end - phrase.start > 8 or clause.base in _STATES or clause.form == "ing":
        return
    if clause.base in _PLACED and statement.core[0].kind == "pp" and not clause.passive:
        return
    if clause.base not in DEEDS and not YEAR.search(clause.span(clause.intro[0], clause.end)):
        return
    asked = _told(statement)
    if not asked:
        return
    wh = "Who" if person else f"Which {noun}"
    score = (0.76 if person else 0.72) - 0.01 * max(0, len(asked.split()) - 12)
    yield Candidate(tidy(f"{wh} {asked}") + "?", statement.name, "entity", "medium", score, "subject")


def _told(statement: Statement) -> str:
    """Return the verbs and what follows them, with the opening date, where that says enough; else nothing."""
    clause, core = statement.clause, statement.core
    if any(s.kind not in ("np", "pp", "paren", "to") for s in core) or any(s.kind == "colon" for s in statement.breaks):
        return ""
    said = clause.tokens[clause.rest : core[-1].end]
    named = any(t.tag in ("NAME", "CODE") and not MONTH.fullmatch(t.text) for t in said)
    verbs = clause.span(clause.subject.end, clause.rest)
    whole = " ".join(part for part in (verbs, statement.of(*core), statement.setting) if part)
    if statement.breaks and any(t.lower in ("only", "that", "merely", "just", "so") or t.tag == "REL" for t in said):
        return ""
    if not named or not 5 <= len(whole.split()) <= 18 or any(t.tag == "PRON" for t in said):
        return ""
    return whole


def _role(statement: Statement) -> Iterator[Candidate]:
    clause = statement.clause
    if clause.middle or clause.aux not in ("is", "was") or clause.subject.end - clause.subject.start > 6:
        return
    subject = clause.tokens[clause.subject.start : clause.subject.head + 1]
    told = tidy(statement.of(*statement.core))
    match = _ROLE.fullmatch(told)
    if match is None or match["role"] not in ROLES or not told.startswith("the ") or len(told.split()) > 12:
        return
    if not any(t.tag == "NAME" for t in clause.tokens[clause.rest : clause.end]) or not is_person(subject):
        return
    if " since " in told:
        return
    question = tidy(" ".join(part for part in (f"Who {clause.aux} {told}", statement.setting) if part)) + "?"
    yield Candidate(question, statement.name, "entity", "medium", 0.8, "role")
