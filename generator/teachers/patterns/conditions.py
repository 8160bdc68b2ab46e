"""What happens when, or if? How do you do it?"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from doceo.text.verbs import VERBS
from doceo.text.words import closed
from generator.teachers.grammar.clause import parse
from generator.teachers.grammar.plain import Plain
from generator.teachers.grammar.standing import PRONOUN, phrase_standing
from generator.teachers.grammar.tokens import Token
from generator.teachers.statement import Candidate, Statement, full, tidy

_STATES = closed("be have mean need require consist contain depend exist include know belong matter apply remain want")


def propose(statement: Statement) -> Iterator[Candidate]:
    """Yield what a statement says to happen under its opening condition, and the way to its opening purpose."""
    clause = statement.clause
    if not clause.intro[1]:
        return
    intro = statement.intro
    if re.match(r"(?:if|when|whenever)\b", intro, re.I):
        yield from _happens(statement)


def _happens(statement: Statement) -> Iterator[Candidate]:
    clause = statement.clause
    opener, _, condition = statement.intro.partition(" ")
    inner = parse(condition, _shifted(clause.tokens[1 : clause.intro[1]], clause.tokens[1].start))
    if inner is None or len(condition.split()) < 3 or len(condition.split()) > 16 or inner.intro[1]:
        return
    if clause.tokens[1].lower.endswith("ing"):
        return
    standing = phrase_standing(inner, inner.subject, statement.terms)
    if standing < 0.6 or PRONOUN.search(condition) or clause.past or (clause.base in _STATES and not clause.passive):
        return
    own = clause.tokens[clause.subject.start]
    if not (
        (own.tag == "PRON" and own.lower in ("it", "they"))
        or statement.standing >= 0.5
        or (own.lower == "the" and clause.subject.plural is False)
    ):
        return
    if any(s.kind in ("colon",) for s in statement.segments):
        return
    if clause.end - clause.subject.start < 5 or clause.tokens[clause.end - 1].lower == "so":
        return
    main = full(clause.span(clause.subject.start, clause.end))
    if clause.aux in ("may", "can", "could", "might"):
        return
    ask = "What should happen" if clause.aux in ("must", "should") else "What happens"
    question = f"{ask} {'if' if opener.lower() == 'if' else 'when'} {_lowered(condition, clause.tokens[1])}?"
    yield Candidate(tidy(question), main, "fact", "hard", 0.75 * (0.6 + 0.4 * standing), "condition")


def imperative(sentence: Plain, found: Sequence[Token]) -> Iterator[Candidate]:
    """Yield the way to a purpose from a sentence such as "To remove a package, run apt remove"."""
    if not found or found[0].lower != "to" or len(found) < 7:
        return
    comma = next((i for i, token in enumerate(found[:18]) if token.text == ","), None)
    if comma is None or comma < 3 or found[1].lower not in VERBS or found[1].lower in ("be", "have", "do"):
        return
    purpose = sentence.text[found[1].start : found[comma].start].strip()
    rest = found[comma + 1 :]
    way = sentence.text[rest[0].start :] if rest else ""
    tells = rest and (
        (
            rest[0].lower in VERBS
            and rest[0].text.islower()
            and rest[0].tag == "NOM"
            and len(rest) > 2
            and rest[1].tag in ("DET", "POSS", "CODE", "NAME", "NOM", "QUANT", "PREP", "NUM")
        )
        or (rest[0].lower == "you" and rest[1].tag == "MODAL")
    )
    if not tells or PRONOUN.search(purpose) or found[1].tag not in ("NOM", "PREP"):
        return
    yield Candidate(f"How do you {purpose}?", full(way), "procedure", "medium", 0.85, "how to")


def _lowered(text: str, first: Token) -> str:
    return text if first.tag in ("NAME", "CODE") else text[:1].lower() + text[1:]


def _shifted(found: Sequence[Token], by: int) -> list[Token]:
    return [Token(t.text, t.start - by, t.end - by, t.lower, t.tag) for t in found]
