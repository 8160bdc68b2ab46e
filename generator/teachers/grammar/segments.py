"""What follows the verbs of a statement, cut into object, phrases and dependent clauses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from doceo.text.verb_lists import NOUN_LIKE
from doceo.text.verbs import base_of
from doceo.text.words import closed
from generator.teachers.grammar.clause import Clause
from generator.teachers.grammar.phrases import is_finite, subject_phrase
from generator.teachers.grammar.tokens import Token

SegmentKind = Literal["np", "pp", "to", "that", "sub", "rel", "and", "colon", "paren", "tail"]
_CONTENT = closed("that whether how what why which who where when")
_TEMPORAL = closed("before after since until as once like so")


@dataclass(frozen=True, slots=True)
class Segment:
    """The tokens `start` to `end`.

    Kinds: np (object or complement), pp (preposition and what belongs to it), to (infinitive), that (content
    clause), sub (because, if, when ...), rel (comma and which), and (a further verb or clause), colon, paren, tail.
    """

    kind: SegmentKind
    start: int
    end: int
    word: str


def segments(clause: Clause) -> list[Segment]:
    """Return the segments after the verbs of a statement, in order; they cover it to its end."""
    found: list[Segment] = []
    at = clause.rest
    while at < clause.end:
        kind = _kind(clause, at, first=at == clause.rest)
        end = clause.end if kind in ("sub", "rel", "and", "colon", "tail", "that") else _reach(clause, at, kind)
        found.append(Segment(kind, at, end, clause.tokens[at].lower))
        at = end
    return found


def _kind(clause: Clause, at: int, *, first: bool) -> SegmentKind:
    tokens, token = clause.tokens, clause.tokens[at]
    if token.text in ("(", ":"):
        return "paren" if token.text == "(" else "colon"
    if token.tag == "PUNCT" and token.text not in ("“", '"', "‘", "'", "’"):
        return _after_comma(tokens, at, clause.end)
    if token.tag == "CONJ":
        return "and"
    if _is_cause(tokens, at) and not first:
        return "sub"
    if first and token.lower in _CONTENT and clause.main is not None:
        return "that"
    if token.tag in ("SUB", "REL") or (token.lower in _TEMPORAL and _has_clause(tokens, at + 1, clause.end)):
        return "sub"
    if _is_infinitive(clause, at):
        return "to"
    return "pp" if token.tag in ("PREP", "TO") else "np"


def _is_cause(tokens: Sequence[Token], at: int) -> bool:
    """Tell whether a cause or purpose of several words begins: "due to", "in order to"."""
    words = [token.lower for token in tokens[at : at + 3]]
    return words[:2] in (["due", "to"], ["owing", "to"], ["thanks", "to"]) or words == ["in", "order", "to"]


def _is_infinitive(clause: Clause, at: int) -> bool:
    after = clause.tokens[at + 1] if at + 1 < clause.end else None
    if clause.tokens[at].tag != "TO" or after is None or after.tag in ("NAME", "CODE"):
        return False
    return base_of(after.lower, "base") is not None


def _after_comma(tokens: Sequence[Token], at: int, end: int) -> SegmentKind:
    after = tokens[at + 1] if at + 1 < end else None
    if after is None or tokens[at].text != ",":
        return "tail"
    if after.tag == "REL" or after.lower == "where":
        return "rel"
    if after.tag == "SUB" or after.lower in ("since", "as", "so", "until", "once", "before", "after"):
        return "sub"
    return "and" if after.tag == "CONJ" else "tail"


def _has_clause(tokens: Sequence[Token], at: int, end: int) -> bool:
    if at >= end:
        return False
    if tokens[at].tag == "PRON" or tokens[at].tag == "DEM":
        return True
    return subject_phrase(tokens[:end], at) is not None and any(
        t.tag in ("BE", "HAVE", "DO", "MODAL") or is_finite(tokens, i, at)
        for i, t in enumerate(tokens[at:end], at)
        if i > at
    )


def _reach(clause: Clause, at: int, kind: SegmentKind) -> int:
    """Return where a segment ends: at the next phrase, clause or sentence mark that does not belong to it."""
    tokens, end = clause.tokens, at + 1
    if kind == "paren":
        return _close(tokens, at, clause.end) or clause.end
    relative = False
    while end < clause.end:
        if (skipped := _skip(clause, end)) is not None:
            end = skipped
            continue
        if _opens_clause(clause, end):
            return end
        if tokens[end].lower == "that" or tokens[end].tag == "REL":
            relative = True
        elif not relative and kind != "to" and _opens_phrase(clause, at, end, kind):
            return end
        end += 1
    return end


def _skip(clause: Clause, at: int) -> int | None:
    """Return where a bracket, a year after a comma or a list that begins at a token ends, where one does."""
    tokens, token = clause.tokens, clause.tokens[at]
    if token.text == "(":
        return _close(tokens, at, clause.end)
    if token.text != ",":
        return None
    if at + 1 < clause.end and _is_year(tokens[at + 1]) and tokens[at - 1].tag == "NUM":
        return at + 2
    return _list_end(clause, at)


def _opens_clause(clause: Clause, at: int) -> bool:
    token = clause.tokens[at]
    if token.tag == "PUNCT":
        return token.text in (",", ";", ":", "—", "–", "...")
    if _is_cause(clause.tokens, at):
        return True
    if token.tag == "CONJ":
        return opens_verb(clause, at)
    if token.tag == "SUB":
        return token.lower not in ("how", "what", "whether")
    return token.lower in _TEMPORAL and _has_clause(clause.tokens, at + 1, clause.end)


def _opens_phrase(clause: Clause, start: int, at: int, kind: SegmentKind) -> bool:
    token = clause.tokens[at]
    if token.tag != "TO" and (token.tag != "PREP" or token.lower in ("of", "than")):
        return False
    return not (kind == "pp" and at == start + 1) and not (at > start + 1 and _qualifies(clause.tokens, at))


def _qualifies(tokens: Sequence[Token], preposition: int) -> bool:
    """Tell whether a preposition belongs to a participle before it that qualifies a noun, as in "files stored in"."""
    return tokens[preposition - 1].has_form("participle") and tokens[preposition - 2].tag in ("NOM", "NAME", "CODE")


def _is_year(token: Token) -> bool:
    return len(token.text) == 4 and token.text.isdigit()


def _close(tokens: Sequence[Token], at: int, end: int) -> int | None:
    for i in range(at + 1, min(at + 20, end)):
        if tokens[i].text == ")":
            return i + 1
    return None


def _list_end(clause: Clause, comma: int) -> int | None:
    """Return the index after the last conjunction of a list whose comma is given, or None where it is no list."""
    tokens = clause.tokens
    for i in range(comma + 1, min(comma + 40, clause.end)):
        token = tokens[i]
        if token.tag in ("REL", "SUB") or token.text in (";", ":") or token.tag in ("BE", "HAVE", "DO", "MODAL"):
            return None
        if i == comma + 1 and (
            token.lower in ("such", "including", "not", "for", "with", "without", "as", "then")
            or token.lower.endswith("ing")
        ):
            return None
        if i == comma + 1 and _is_same_form(clause, i):
            return None
        if token.lower in ("and", "or", "nor"):
            if opens_verb(clause, i):
                return None
            return i + 1
    return None


def _is_same_form(clause: Clause, at: int) -> bool:
    """Tell whether a token is a verb that could stand beside the main verb."""
    token, after = clause.tokens[at], clause.tokens[at + 1] if at + 1 < clause.end else None
    if token.tag != "NOM" or not token.text.islower():
        return False
    opens = after is not None and after.tag in ("DET", "POSS", "QUANT", "NUM", "CODE", "PREP")
    if base := base_of(token.lower, "s"):
        return base not in NOUN_LIKE or opens
    form = "s" if clause.form in ("be", "have") else clause.form
    return token.has_form(form) and (form in ("past", "participle") or opens)


def opens_verb(clause: Clause, conjunction: int) -> bool:
    """Tell whether a conjunction is followed by a further verb of the subject, or by a clause of its own."""
    tokens, at = clause.tokens, conjunction + 1
    if tokens[conjunction].lower in ("but", "yet", "nor"):
        return True
    while at < clause.end and tokens[at].tag in ("ADV", "NEG", "PUNCT"):
        at += 1
    if at >= clause.end:
        return True
    token = tokens[at]
    if token.tag in ("BE", "HAVE", "DO", "MODAL", "SUB") or token.tag == "PRON":
        return True
    if _is_same_form(clause, at):
        return True
    subject = subject_phrase(tokens[: clause.end], at)
    return subject is not None and subject.end < clause.end and is_finite(tokens, subject.end, at)
