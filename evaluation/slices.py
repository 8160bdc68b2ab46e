"""The axes along which questions are told apart, and the value of a question on each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from doceo.core.records import Document, Question

LENGTHS = ((3, "up to 3 words"), (10, "4 to 10 words"), (30, "11 to 30 words"))
"""Most words of the first reference, and the name of the slice."""
_LONGER = "more than 30 words"
_DEEPEST = 5
"""Turns from here on are counted together."""
AXES = ("topic", "kind", "difficulty", "document", "length", "turn", "answerable", "author")


def keys(questions: Sequence[Question], documents: Mapping[str, Document]) -> dict[str, list[str]]:
    """Return axis -> the value of every question, in order; `` where a question has none.

    Args:
        questions: The questions.
        documents: Id -> document, whose sources name the slices of `document`; the first piece of evidence decides.
    """
    values: dict[str, Callable[[Question], str]] = {
        "topic": lambda q: q.topic,
        "kind": lambda q: q.kind,
        "difficulty": lambda q: q.difficulty,
        "document": lambda q: _document(q, documents),
        "length": _length,
        "turn": _turn,
        "answerable": lambda q: "yes" if q.answerable else "no",
        "author": lambda q: q.author,
    }
    return {axis: [values[axis](question) for question in questions] for axis in AXES}


def turn_of(question: Question) -> int:
    """Return which question of its conversation it is; one without turns before it is the first."""
    return 1 + sum(message.role == "user" for message in question.history)


def _document(question: Question, documents: Mapping[str, Document]) -> str:
    if not question.evidence:
        return ""
    document_id = question.evidence[0].span.document_id
    return documents[document_id].source if document_id in documents else document_id


def _length(question: Question) -> str:
    if not question.references:
        return ""
    words = len(question.references[0].split())
    return next((name for most, name in LENGTHS if words <= most), _LONGER)


def _turn(question: Question) -> str:
    turn = turn_of(question)
    return f"{_DEEPEST}+" if turn >= _DEEPEST else str(turn)
