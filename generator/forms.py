"""The JSON forms that a teacher's reply is asked for in, and how the items of such a reply become drafts."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from doceo.core.records import Draft, Message, OrderForm
from generator.fields import KINDS, by_field, kind_named, kind_of, quotes_of, text_of

LISTS: dict[OrderForm, str] = {
    "pairs": "pairs",
    "multi-hop": "pairs",
    "multi-turn": "turns",
    "unanswerable": "questions",
}
"""Name of the list in a reply of each form."""


@dataclass(frozen=True)
class Parsed:
    """What a reply held.

    Attributes:
        drafts: The pairs that could be read.
        failures: One line for every item that could not, or for the reply as a whole.
        readable: Whether the reply had the form at all; a reply that says "no pairs" is readable and empty.
    """

    drafts: list[Draft]
    failures: list[str]
    readable: bool


def schema(form: OrderForm, *, reasoning: bool = False) -> dict[str, object]:
    """Return the JSON schema of a reply, in the subset that strict structured output takes.

    Args:
        form: What was ordered.
        reasoning: Whether every pair has the steps to its answer.
    """
    return _schema(form, reasoning)


@lru_cache(maxsize=16)
def example(form: OrderForm, *, reasoning: bool = False) -> str:
    """Return the same form as prompts show it, with dots for the values."""
    shown = {name: ["..."] if name == "quotes" else "..." for name in _fields(form, reasoning)}
    return json.dumps({LISTS[form]: [shown]})


@lru_cache(maxsize=16)
def _schema(form: OrderForm, reasoning: bool) -> dict[str, object]:
    text: dict[str, object] = {"type": "string"}
    kinds: dict[str, object] = {"type": "string", "enum": list(KINDS)}
    quotes: dict[str, object] = {"type": "array", "items": text}
    names = _fields(form, reasoning)
    item = _object({name: {"quotes": quotes, "kind": kinds}.get(name, text) for name in names})
    return _object({LISTS[form]: {"type": "array", "items": item}})


def _object(properties: dict[str, dict[str, object]]) -> dict[str, object]:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _fields(form: OrderForm, reasoning: bool) -> list[str]:
    """Return the fields of an item in the order in which they are to be written: the steps before the answer."""
    if form == "unanswerable":
        return ["question", "missing"]
    steps = ["rationale"] if reasoning else []
    return ["question", *steps, "answer", "quotes", *(["kind"] if form == "pairs" else [])]


def drafts_of(items: Sequence[object], form: OrderForm) -> Parsed:
    """Return the drafts that the items of a reply describe, each in the form that was ordered."""
    parsed = _READERS[form](items)
    return Parsed(parsed.drafts, parsed.failures, readable=bool(parsed.drafts) or not items)


def _pairs(items: Sequence[object]) -> Parsed:
    read = [_pair(item, number) for number, item in enumerate(items, 1)]
    return _parted(read)


def _multi_hop(items: Sequence[object]) -> Parsed:
    parsed = _pairs(items)
    return Parsed([draft.model_copy(update={"kind": "multi-hop"}) for draft in parsed.drafts], parsed.failures, True)


def _multi_turn(items: Sequence[object]) -> Parsed:
    """Chain the turns; what follows a turn that cannot be read hangs in the air, and goes with it."""
    drafts: list[Draft] = []
    history: list[Message] = []
    for number, item in enumerate(items, 1):
        turn = _pair(item, number)
        if isinstance(turn, str):
            return Parsed(
                drafts, [turn, *(f"turn {later} goes with it" for later in range(number + 1, len(items) + 1))], True
            )
        if history:
            turn = turn.model_copy(update={"history": tuple(history), "kind": "multi-turn"})
        drafts.append(turn)
        history += [Message(role="user", content=turn.question), Message(role="assistant", content=turn.answer)]
    return Parsed(drafts, [], readable=True)


def _unanswerable(items: Sequence[object]) -> Parsed:
    read: list[Draft | str] = []
    for number, item in enumerate(items, 1):
        question = text_of(by_field(item).get("question") if isinstance(item, dict) else item)
        draft = Draft(question=question, answer="", answerable=False, kind="unanswerable")
        read.append(draft if question else f"item {number} has no question")
    return _parted(read)


def _pair(item: object, number: int) -> Draft | str:
    fields = by_field(item) if isinstance(item, dict) else {}
    question, answer = text_of(fields.get("question")), text_of(fields.get("answer"))
    if not question or not answer:
        return f"pair {number} has no {'answer' if question else 'question'}"
    return Draft(
        question=question,
        answer=answer,
        quotes=quotes_of(fields.get("quotes")),
        rationale=text_of(fields.get("rationale"), between="\n"),
        kind=kind_named(fields.get("kind")) or kind_of(question),
    )


def _parted(read: Sequence[Draft | str]) -> Parsed:
    drafts = [draft for draft in read if isinstance(draft, Draft)]
    return Parsed(drafts, [failure for failure in read if isinstance(failure, str)], readable=True)


_READERS: dict[OrderForm, Callable[[Sequence[object]], Parsed]] = {
    "pairs": _pairs,
    "multi-hop": _multi_hop,
    "multi-turn": _multi_turn,
    "unanswerable": _unanswerable,
}
