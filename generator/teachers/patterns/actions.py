"""What does X do? What does X consist of, denote, prohibit ...?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from doceo.text.words import closed
from generator.teachers.grammar.nouns import LOOSE
from generator.teachers.grammar.segments import Segment
from generator.teachers.statement import Candidate, Statement, tidy, unquoted

_ASKED = closed("define denote measure represent indicate store hold prohibit forbid replace")
_WITH = {"consist": "of", "correspond": "to", "stand": "for", "depend": "on"}
_STATIVE = closed(
    "note argue claim suggest report observe conclude state believe explain characterize object carry work play "
    "face serve strive seek operate act look rely correspond increase grow apply point reside result take hold be "
    "have rest mean need want know contain consist depend belong exist seem appear become remain stand lie cost "
    "weigh include require say happen come go get see make like love hope think feel refer"
)
_DOERS = closed(
    "command option gate stage program tool script function method module library package directive field file "
    "daemon service utility plugin target key flag variable table agency office department committee switch verb "
    "page report metric ledger journal index clause attribute setting statement value keyword mode format"
)
_NO_DOERS = closed(
    "number paper order letter error factor matter member power character chapter layer parameter color floor "
    "water winter"
)
_SECOND = re.compile(r"[^,]+, and [^,]+")
_RUNS_ON = re.compile(r",? (?:and|but|so) (?:it|they|he|she|this|then)\b")


def propose(statement: Statement) -> Iterator[Candidate]:
    """Yield what the subject of a statement holds, needs or causes; else what it does."""
    clause = statement.clause
    if clause.intro[1] or statement.standing < 0.6 or not statement.core or clause.negated or statement.is_topic:
        return
    if clause.passive or clause.copular or clause.base == "have" or clause.form == "ing":
        return
    if not any(s.kind == "colon" for s in statement.breaks):
        yield from list(_object(statement)) or _does(statement)


def _object(statement: Statement) -> Iterator[Candidate]:
    clause = statement.clause
    if clause.past or clause.auxiliary is not None or statement.standing < 0.85:
        return
    if any(clause.tokens[i].tag == "ADV" for i in clause.middle) or clause.subject.end - clause.subject.start > 9:
        return
    if statement.breaks and statement.breaks[0].kind in ("and", "tail", "sub"):
        return
    found = _with_preposition(statement) if clause.base in _WITH else _direct(statement)
    if found is None or not _is_whole(statement, found[1]):
        return
    yield Candidate(found[0], unquoted(tidy(found[1])), "fact", "medium", 0.75 * statement.weight, "object")


def _with_preposition(statement: Statement) -> tuple[str, str] | None:
    """Return question and answer of "X depends on Y", or None."""
    first, preposition = statement.core[0], _WITH[statement.clause.base]
    if first.kind != "pp" or first.word != preposition:
        return None
    question = tidy(statement.ask("What")[:-1] + f" {preposition}") + "?"
    return question, statement.of(*statement.core).split(" ", 1)[-1]


def _direct(statement: Statement) -> tuple[str, str] | None:
    """Return question and answer of "X contains Y", or None."""
    clause, first = statement.clause, statement.core[0]
    token = clause.tokens[first.start]
    if clause.base not in _ASKED or first.kind not in ("np", "that") or token.tag in ("PRON", "ADV", "NEG"):
        return None
    if token.lower in ("only", "both", "more", "much") or _holds_clause(statement, first):
        return None
    return statement.ask("What"), statement.of(*statement.core)


def _is_whole(statement: Statement, answer: str) -> bool:
    clause = statement.clause
    verb = clause.tokens[clause.main or 0].lower
    if answer.split()[-1].lower() in LOOSE or (statement.core[0].kind == "that" and _SECOND.fullmatch(answer)):
        return False
    return len(answer.split()) > 1 and not _RUNS_ON.search(answer) and f" {verb} " not in answer


def _holds_clause(statement: Statement, segment: Segment) -> bool:
    """Tell whether an object is a clause whose "that" is left out: "indicates the file is empty"."""
    found = statement.clause.tokens[segment.start : segment.end]
    verb = next((i for i, token in enumerate(found) if token.tag in ("BE", "MODAL", "HAVE", "DO")), None)
    if segment.kind != "np" or verb is None:
        return False
    return not any(t.tag in ("REL", "SUB") or t.lower == "that" for t in found[:verb])


def _does(statement: Statement) -> Iterator[Candidate]:
    clause = statement.clause
    if clause.auxiliary is not None or clause.past or clause.middle or clause.base in _STATIVE:
        return
    if clause.form == "s" and (clause.subject.plural or statement.subject.split()[0].endswith("s")):
        return
    if clause.tokens[clause.rest].tag == "PRON" or statement.core[0].kind == "to" or clause.end - clause.rest < 3:
        return
    if not _is_doer(statement):
        return
    question = tidy(f"What {'does' if clause.form == 's' else 'do'} {statement.subject} do") + "?"
    yield Candidate(question, statement.sentence, "fact", "medium", 0.72 * statement.weight, "does")


def _is_doer(statement: Statement) -> bool:
    """Tell whether a person would ask what the subject does: a tool, a part of a program, an office.

    What a company does cannot be told in one sentence.
    """
    clause, head, at = statement.clause, statement.head, statement.clause.subject.head
    if clause.subject.plural or not any(t.tag == "CODE" for t in clause.tokens[clause.subject.start : at + 1]):
        return False
    if clause.subject.end > at + 1 and clause.tokens[at + 1].text != "(":
        return False
    if head.tag == "CODE":
        return True
    noun = head.lower.rsplit("-", 1)[-1]
    return {noun, noun.removesuffix("s")} & _DOERS != set() or (
        noun.removesuffix("s").endswith(("er", "or")) and noun.removesuffix("s") not in _NO_DOERS
    )
