"""Who was X? What is X? Told beside the name: "X, a Scottish inventor, ..." or "X, which is a ..."."""

from __future__ import annotations

import re
from collections.abc import Iterator

from generator.teachers.grammar.people import is_person, may_be_person, means_person
from generator.teachers.statement import Candidate, Statement, full, tidy

_WHICH = re.compile(r"(?:which|who) (?P<be>is|are|was|were) (?P<rest>(?:a|an|the|one of) .+)")
_NOUN = re.compile(r"(?:a|an|the) .+")
_VAGUE = re.compile(
    r"(?:a|an|the) (?:same|latter|former|first|second|third|last|next|most|best|only|other|few|lot|number|result|part|"
    r"member|one|idea|fact|case)\b"
)


def propose(statement: Statement) -> Iterator[Candidate]:
    """Yield what a statement says beside a name, and what "X was a ..." says of it."""
    clause = statement.clause
    phrase = clause.subject
    name = clause.tokens[phrase.start : phrase.head + 1]
    if statement.standing < 0.9 or not any(t.tag == "NAME" for t in name) or name[0].tag not in ("NAME", "DET", "NOM"):
        return
    if name[0].lower in ("a", "an") or any(t.tag in ("PREP", "CONJ", "PUNCT") for t in name):
        return
    for start, end in phrase.cut:
        if clause.tokens[start].text == "," and start == phrase.head + 1:
            yield from _beside(statement, start + 1, end - 1)
    if clause.copular and clause.aux in ("was", "were") and not clause.negated and not clause.middle:
        yield from _was(statement)


def _beside(statement: Statement, start: int, end: int) -> Iterator[Candidate]:
    clause = statement.clause
    text = tidy(clause.span(start, end))
    match = _WHICH.fullmatch(text)
    told = match["rest"] if match else text
    if not _NOUN.fullmatch(told) or _VAGUE.match(told) or not 4 <= len(told.split()) <= 30:
        return
    tokens = clause.tokens[start + (2 if match else 0) : end]
    name = clause.tokens[clause.subject.start : clause.subject.head + 1]
    person = is_person(name) or means_person(tokens)
    if not person and may_be_person(name):
        return
    be = match["be"] if match else "was" if person and clause.past else "are" if clause.subject.plural else "is"
    if not match and not person and clause.past and told.startswith("the "):
        return
    question = f"{'Who' if person else 'What'} {be} {_named(statement)}?"
    yield Candidate(question, full(told), "definition", "easy", 0.76, "beside")


def _was(statement: Statement) -> Iterator[Candidate]:
    clause = statement.clause
    said = clause.tokens[clause.rest : clause.end]
    first = statement.segments[0] if statement.segments else None
    if first is None or first.kind != "np" or said[0].lower not in ("a", "an") or len(said) < 5 or clause.intro[1]:
        return
    if _VAGUE.match(clause.span(clause.rest, clause.end)):
        return
    name = clause.tokens[clause.subject.start : clause.subject.head + 1]
    person = is_person(name) or means_person(said)
    if not person and (may_be_person(name) or (len(name) == 1 and name[0].text.istitle())):
        return
    question = f"{'Who' if person else 'What'} {clause.aux} {_named(statement)}?"
    yield Candidate(question, statement.sentence, "definition", "easy", 0.8 if person else 0.68, "was")


def _named(statement: Statement) -> str:
    phrase = statement.clause.subject
    return statement.lowered(
        statement.clause.span(phrase.start, phrase.head + 1), statement.clause.tokens[phrase.start]
    )
