"""What a judge is asked, and what its replies say."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from doceo.core.errors import ReplyInvalid
from doceo.core.records import ChatReply, ChatRequest, Document
from doceo.text.loose_json import candidates, load
from doceo.text.marks import Mark, marks_of
from evaluation.case import Case
from evaluation.judging.rubric import Point
from evaluation.judging.shown import answer_shown, code, known_shown, question_shown
from prompts.catalog import Template

Choice = Literal["first", "second", "tie"]
PROMPTS = ("judge_answer", "judge_two_answers", "ask_again")
THINKING = 1024
"""Tokens that a reply may use before its first word."""
_TOKENS_A_POINT, _TOKENS = 160, 240
_TEXT: dict[str, object] = {"type": "string"}
_STRONGER = "If this happens often, take a stronger model."
_CHOICE = re.compile(r"\bbetter\W{1,6}(?:is\W{1,6})?(?:the\W)?(first|second|tie)\b", re.IGNORECASE)
_CHOICES: dict[str, Choice] = {
    **dict.fromkeys(("first", "1", "a", "first answer", "the first", "the first answer"), "first"),
    **dict.fromkeys(("second", "2", "b", "second answer", "the second", "the second answer"), "second"),
    **dict.fromkeys(("tie", "neither", "equal", "both", "same", "a tie", "draw"), "tie"),
}


@dataclass(frozen=True)
class Said:
    """What a judge says of two answers."""

    choice: Choice
    reason: str


def in_turn(points: Sequence[Point], repeat: int) -> tuple[Point, ...]:
    """Return points in the order of a repeat: each stands first as often as the others (a Latin square's rows)."""
    start = repeat % len(points)
    return (*points[start:], *points[:start])


def to_mark(
    template: Template, points: Sequence[Point], case: Case, documents: Mapping[str, Document], seed: int
) -> ChatRequest:
    """Return the request for the marks of one answer, on points in the order given."""
    tag = code(case)
    form = {point.name: {"reason": "...", "mark": "N"} for point in points}
    messages = template.fill(
        rubric="\n\n".join(point.text for point in points),
        question=question_shown(case, tag),
        known=known_shown(case, documents, tag),
        answer=answer_shown(case, documents, tag),
        form=json.dumps(form).replace('"N"', "N"),
    )
    tokens = _TOKENS_A_POINT * len(points) + THINKING
    return ChatRequest(messages=messages, form=_marks_schema(points), max_tokens=tokens, seed=seed)


def to_compare(
    template: Template,
    points: Sequence[Point],
    first: Case,
    second: Case,
    documents: Mapping[str, Document],
    seed: int,
) -> ChatRequest:
    """Return the request for the better of two answers to one question, in this order."""
    tag = code(first, second)
    messages = template.fill(
        rubric="\n".join(f"{n}. {point.name}: {point.asks}" for n, point in enumerate(points, 1)),
        question=question_shown(first, tag),
        known=known_shown(first, documents, tag),
        first=answer_shown(first, documents, tag, "first"),
        second=answer_shown(second, documents, tag, "second"),
    )
    better: dict[str, object] = {"type": "string", "enum": ["first", "second", "tie"]}
    schema = _object({"reason": _TEXT, "better": better})
    return ChatRequest(messages=messages, form=schema, max_tokens=_TOKENS + THINKING, seed=seed)


def read_marks(reply: ChatReply, points: Sequence[str]) -> dict[str, Mark]:
    """Return the marks of a reply by point. Raises ReplyInvalid where a point has none."""
    found = marks_of(reply.text, points)
    if missing := [point for point in points if point not in found]:
        raise ReplyInvalid(f"it has no mark of 0, 1 or 2 for {', '.join(missing)}.", hint=_STRONGER)
    return {point: found[point] for point in points}


def read_choice(reply: ChatReply) -> Said:
    """Return which of two answers a reply says is better. Raises ReplyInvalid where it does not say."""
    for candidate in candidates(reply.text):
        value, _ = load(candidate)
        if isinstance(value, dict):
            choice = _CHOICES.get(str(value.get("better", value.get("verdict"))).strip().lower())
            if choice is not None:
                return Said(choice, str(value.get("reason") or "").strip())
    said = _CHOICE.findall(reply.text)
    choice = _CHOICES.get(said[-1].lower() if said else reply.text.strip().strip(".\"'*").lower())
    if choice is None:
        raise ReplyInvalid('it does not say "better": "first", "second" or "tie".', hint=_STRONGER)
    return Said(choice, "")


def _marks_schema(points: Sequence[Point]) -> dict[str, object]:
    mark: dict[str, object] = {"type": "integer", "enum": [0, 1, 2]}
    return _object({point.name: _object({"reason": _TEXT, "mark": mark}) for point in points})


def _object(properties: dict[str, dict[str, object]]) -> dict[str, object]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}
