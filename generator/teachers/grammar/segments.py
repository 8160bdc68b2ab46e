"""What follows the verbs of a statement, cut into object, phrases and dependent clauses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from doceo.text.verbs import NOUN_LIKE, base_of
from doceo.text.words import closed
from generator.teachers.grammar.clause import Clause
from generator.teachers.grammar.phrases import is_finite, subject_phrase
from generator.teachers.grammar.tokens import Token

SegmentKind = Literal["np", "pp", "to", "that", "sub", "rel", "and", "colon", "paren", "tail"]
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


def _kind(clause: Clause, at: int, *, first: bool) -> SegmentKind:  # noqa: C901
    tokens, token = clause.tokens, clause.tokens[at]
    if token.text == "(":
        return "paren"
    if token.text == ":":
        return "colon"
    if token.tag == "PUNCT" and token.text not in ("“", '"', "‘", "'", "’"):
        return _after_comma(tokens, at, clause.end)
    if token.tag == "CONJ":
        return "and"
    if (
        token.lower in ("that", "whether", "how", "what", "why", "which", "who", "where", "when")
        and first
        and clause.main is not None
    ):
        return "that"
    if token.tag in ("SUB", "REL"):
        return "sub"
    if token.lower in _TEMPORAL and _has_clause(tokens, at + 1, clause.end):
        return "sub"
    if token.lower == "so":
        return "sub"
    if (
        token.tag == "TO"
        and at + 1 < clause.end
        and base_of(tokens[at + 1].lower, "base")
        and tokens[at + 1].tag not in ("NAME", "CODE")
    ):
        return "to"
    if token.tag in ("PREP", "TO"):
        return "pp"
    return "np"


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
        while end < clause.end and tokens[end - 1].text != ")":
            end += 1
        return end
    relative = False
    while end < clause.end:
        token = tokens[end]
        if token.text == "(" and (close := _close(tokens, end, clause.end)):
            end = close
            continue
        if token.text == "," and end + 1 < clause.end and _is_year(tokens[end + 1]) and tokens[end - 1].tag == "NUM":
            end += 2
            continue
        if token.text == ",":
            listed = _list_end(clause, end)
            if listed is None:
                return end
            end = listed
            continue
        if token.tag == "PUNCT" and token.text in (";", ":", "—", "–", "..."):
            return end
        if token.tag == "CONJ" and opens_verb(clause, end):
            return end
        if token.lower == "that" or token.tag == "REL":
            relative = True
        elif (token.tag == "SUB" and token.lower not in ("how", "what", "whether")) or (
            token.lower in _TEMPORAL and _has_clause(tokens, end + 1, clause.end)
        ):
            return end
        elif (
            not relative
            and kind != "to"
            and ((token.tag == "PREP" and token.lower not in ("of", "than")) or token.tag == "TO")
        ):
            if not (kind == "pp" and end == at + 1) and not (end > at + 1 and _qualifies(tokens, end)):
                return end
        end += 1
    return end


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
    form = clause.form if clause.form in ("base", "past", "ing", "participle") else "s"
    found = base_of(token.lower, form)  # type: ignore[arg-type]  # narrowed to the forms of a verb
    return found is not None and (form in ("past", "participle") or opens)


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
