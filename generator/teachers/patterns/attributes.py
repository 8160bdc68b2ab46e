"""What is the size, purpose, default, name ... of X?"""

from __future__ import annotations

import re
from collections.abc import Iterator

from doceo.core.records import Kind
from doceo.text.words import closed, is_plural
from generator.teachers.patterns.definitions import ATTRIBUTES
from generator.teachers.statement import Candidate, Statement, capital, tidy

_VAGUE = closed("behaviour behavior value action setting option case mode order state location method way choice")
_DEFAULT = re.compile(
    r"\b(?:default|maximum|minimum|recommended|usual|typical|largest|smallest|highest|lowest|longest|shortest|"
    r"first|oldest|official|main)\b"
)


def propose(statement: Statement) -> Iterator[Candidate]:
    """Yield the attribute of something that a statement gives, such as its default or its purpose."""
    clause = statement.clause
    if (
        not clause.copular
        or clause.aux not in ("is", "are", "was", "were")
        or clause.negated
        or clause.intro[1]
        or clause.middle
    ):
        return
    if not statement.segments or clause.tokens[clause.subject.start].lower != "the":
        return
    after = clause.tokens[clause.subject.head + 1].lower if clause.subject.head + 1 < clause.subject.end else ""
    head = statement.head.lower
    singular = head[:-1] if is_plural(head) else head
    modified = clause.subject.head - clause.subject.start >= 2 and _DEFAULT.search(statement.subject)
    if not (
        (singular in ATTRIBUTES and after in ("of", "for", "between", "in")) or (modified and statement.standing > 0)
    ):
        return
    if modified and head in _VAGUE and clause.subject.end == clause.subject.head + 1:
        return
    standing = max(statement.standing, 0.5 if modified else 0.0)
    if standing < 0.5:
        return
    answer = _answer(statement)
    if answer:
        score = 0.9 * (0.6 + 0.4 * standing)
        yield Candidate(
            f"What {clause.aux} {statement.subject}?", answer, _kind(singular, answer), "medium", score, "attribute"
        )


def _kind(attribute: str, answer: str) -> Kind:
    if attribute == "difference":
        return "comparison"
    if attribute in ("reason", "cause"):
        return "reason"
    return "quantity" if answer[:1].isdigit() else "fact"


def _answer(statement: Statement) -> str:
    first = statement.segments[0]
    if first.kind == "that":
        return statement.sentence
    if first.kind == "to":
        return capital(tidy(statement.of(*statement.core))) + "."
    if first.kind != "np":
        return ""
    token = statement.clause.tokens[first.start]
    if token.tag not in ("DET", "NUM", "NAME", "CODE", "POSS", "NOM") or token.lower in (
        "important",
        "available",
        "possible",
        "used",
    ):
        return ""
    if token.tag == "NOM" and first.end - first.start < 2 and not is_plural(token.text):
        return ""
    if "?" in statement.sentence:
        return ""
    kinds = {s.kind for s in statement.breaks}
    if kinds & {"and", "colon", "tail"} or len(statement.of(*statement.segments).split()) > 12:
        return statement.sentence
    return tidy(statement.of(*statement.core))
