"""A teacher's reply to drafts: read what can be read, and say what could not be.

Models wrap JSON in prose and code fences, forget commas, rename fields, and run out of tokens in the middle of a pair.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import json_repair

from doceo.core.records import Draft
from doceo.text.thinking import without_thinking
from generator.fields import (
    DIFFICULTIES,
    DIFFICULTY_NAMES,
    FIELD_NAMES,
    KIND_NAMES,
    KINDS,
    by_field,
    kind_of,
    nearest,
    text_of,
)

FORM: dict[str, object] = {
    "type": "object",
    "properties": {
        "pairs": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "question": {"type": "string"},
                    "answer": {"type": "string"},
                    "quote": {"type": "string"},
                    "kind": {"type": "string", "enum": list(KINDS)},
                    "difficulty": {"type": "string", "enum": list(DIFFICULTIES)},
                },
                "required": ["question", "answer", "quote", "kind", "difficulty"],
                "additionalProperties": False,
            },
        }
    },
    "required": ["pairs"],
    "additionalProperties": False,
}
"""The JSON schema of a reply with pairs, in the subset that strict structured output takes."""

_DECODER = json.JSONDecoder(strict=False)
_FENCE = re.compile(r"```[\w-]*[ \t]*\n?(.*?)(?:```|\Z)", re.DOTALL)
_LABEL = re.compile(
    r"^[\s>*#\-\d.)]*\b(?P<name>question|answer|quote|evidence|kind|difficulty|q|a)(?:\s*\d+)?\b\s*\**\s*"
    r"[:：]\**[ \t]*",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True)
class Parsed:
    """What a reply held.

    Attributes:
        drafts: The pairs that could be read.
        failures: One line for every item that could not.
        readable: Whether the reply had the form at all; a reply that says "no pairs" is readable and empty.
    """

    drafts: list[Draft]
    failures: list[str]
    readable: bool


def parse_pairs(text: str, *, truncated: bool = False) -> Parsed:
    """Read the pairs of a reply.

    Args:
        text: The reply.
        truncated: Whether the model ran out of tokens; its last pair is then kept only if it is whole.
    """
    bare = without_thinking(text).strip()
    for candidate in _candidates(bare):
        value, mended = _load(candidate)
        items = _items(value)
        if items is None:
            continue
        broken = mended and (truncated or not candidate.rstrip().endswith(("}", "]")))
        if broken and items and not _whole_end(candidate):
            items = items[:-1]
        parsed = _drafts(items)
        if parsed.drafts or not items:
            return parsed if parsed.drafts or not broken else Parsed([], ["the reply breaks off"], readable=False)
    return _labelled(bare, truncated=truncated)


def _candidates(text: str) -> list[str]:
    """Return the stretches of a reply that may be JSON, likeliest first."""
    fenced = [match[1].strip() for match in _FENCE.finditer(text) if "{" in match[1] or "[" in match[1]]
    whole: list[str] = []
    rest: list[str] = []
    for at in sorted(at for at in (text.find("{"), text.find("[")) if at >= 0):
        tail = text[at:]
        try:
            whole.append(tail[: _DECODER.raw_decode(tail)[1]])
        except ValueError:
            last = max(tail.rfind("}"), tail.rfind("]"))
            # Prose after the JSON goes; without any closing bracket the reply was cut off.
            rest += [tail[: last + 1], tail] if last > 0 else [tail]
    return list(dict.fromkeys([*fenced, *whole, *rest]))


def _load(text: str) -> tuple[object, bool]:
    """Return the value of a text that should be JSON, and whether it had to be mended."""
    try:
        return json.loads(text, strict=False), False
    except ValueError:
        return json_repair.loads(text, skip_json_loads=True), True


def _whole_end(text: str) -> bool:
    """Return whether the last pair in a text is closed by its own bracket."""
    return text.rfind("}") > text.rfind("{") and not text[text.rfind("}") + 1 :].strip(" \t\r\n,]}")


def _items(value: object) -> list[object] | None:
    """Return the list of pairs that a JSON value holds, in whatever wrapping, or None."""
    if isinstance(value, list):
        inner = [_items(part) for part in value] if value and all(isinstance(part, list) for part in value) else []
        return [item for part in inner for item in part or []] or value
    if not isinstance(value, dict):
        return None
    if {"question", "answer"} <= by_field(value).keys():
        return [value]
    lists = [part for part in value.values() if isinstance(part, list)]
    if len(lists) == 1:
        return lists[0]
    if value and all(isinstance(part, dict) for part in value.values()):
        nested = [_items(part) for part in value.values()]
        return [item for part in nested for item in part or []]
    for part in lists:
        if part and all(isinstance(item, dict) for item in part):
            return part
    return None


def _drafts(items: list[object]) -> Parsed:
    drafts: list[Draft] = []
    failures: list[str] = []
    for number, item in enumerate(items, 1):
        fields = by_field(item) if isinstance(item, dict) else {}
        question, answer = text_of(fields.get("question")), text_of(fields.get("answer"))
        if not question or not answer:
            failures.append(f"pair {number} has no {'answer' if question else 'question'}")
            continue
        drafts.append(
            Draft(
                question=question,
                answer=answer,
                quote=text_of(fields.get("quote"), between=" ... "),
                kind=nearest(fields.get("kind"), KINDS, KIND_NAMES, kind_of(question)),
                difficulty=nearest(fields.get("difficulty"), DIFFICULTIES, DIFFICULTY_NAMES, "medium"),
            )
        )
    return Parsed(drafts, failures, readable=bool(drafts) or not items)


def _labelled(text: str, *, truncated: bool) -> Parsed:
    """Read pairs written as lines `Question: ...`, `Answer: ...`, `Quote: ...`."""
    items: list[object] = []
    labels = list(_LABEL.finditer(text))
    ends = [*(label.start() for label in labels[1:]), len(text)]
    for label, end in zip(labels, ends, strict=False):
        name = FIELD_NAMES[label["name"].lower()]
        value = text[label.end() : end].strip().strip("*").strip()
        current = items[-1] if items else None
        if name == "question" or not isinstance(current, dict):
            current = {}
            items.append(current)
        current.setdefault(name, value)
    if truncated and items and isinstance(items[-1], dict) and "quote" not in items[-1]:
        items = items[:-1]
    if not items:
        return Parsed([], ["the reply has no pairs in any known form"], readable=False)
    return _drafts(items)
