"""A teacher's reply to drafts: read what can be read, and say what could not be.

Models wrap JSON in prose and code fences, forget commas, rename fields, and run out of tokens in the middle of a pair.
"""

from __future__ import annotations

import json
import re

from doceo.core.records import OrderForm
from doceo.text.loose_json import candidates, load
from doceo.text.thinking import without_thinking
from generator.fields import FIELD_NAMES, by_field
from generator.forms import Parsed, drafts_of

_LABEL = re.compile(
    r"^[\s>*#\-\d.)]*\b(?P<name>question|answer|quotes?|evidence|kind|rationale|reasoning|q|a)(?:\s*\d+)?\b\s*\**\s*"
    r"[:：]\**[ \t]*",
    re.IGNORECASE | re.MULTILINE,
)


def parse(text: str, form: OrderForm = "pairs", *, truncated: bool = False) -> Parsed:
    """Read the drafts of a reply. Never raises, whatever the text.

    Args:
        text: The reply.
        form: What was ordered.
        truncated: Whether the model ran out of tokens; its last pair is then kept only if it is whole.
    """
    bare = text.strip()
    if bare[:1] in ("{", "["):
        # The common case, a clean reply, costs one reading.
        try:
            items = items_of(json.loads(bare), form)
        except (ValueError, RecursionError):
            items = None
        if items is not None and ((parsed := drafts_of(items, form)).drafts or not items):
            return parsed
    return _tolerant(without_thinking(text).strip(), form, truncated)


def _tolerant(text: str, form: OrderForm, truncated: bool) -> Parsed:
    failures: list[str] = []
    for candidate in candidates(text):
        value, mended = load(candidate)
        items = items_of(value, form)
        if items is None:
            continue
        broken = mended and (truncated or not candidate.rstrip().endswith(("}", "]")))
        if broken and items and not _whole_end(candidate):
            items = items[:-1]
        parsed = drafts_of(items, form)
        if parsed.drafts or not items:
            return parsed if parsed.drafts or not broken else Parsed([], ["it breaks off"], readable=False)
        failures = failures or parsed.failures
    labelled = _labelled(text, form, truncated)
    return labelled if labelled.drafts or not failures else Parsed([], failures, readable=False)


def _whole_end(text: str) -> bool:
    """Return whether the last pair in a text is closed by its own bracket."""
    return text.rfind("}") > text.rfind("{") and not text[text.rfind("}") + 1 :].strip(" \t\r\n,]}")


def items_of(value: object, form: OrderForm, depth: int = 0) -> list[object] | None:
    """Return the list of items that a JSON value holds, in whatever wrapping, or None."""
    if depth > 8:
        return None
    if isinstance(value, list):
        inner = [items_of(part, form, depth + 1) for part in value] if _all(value, list) else []
        return [item for part in inner for item in part or []] or value
    if not isinstance(value, dict):
        return None
    if _is_item(value, form):
        return [value]
    lists = [part for part in value.values() if isinstance(part, list)]
    if len(lists) == 1:
        return lists[0]
    if _all(list(value.values()), dict):
        nested = [items_of(part, form, depth + 1) for part in value.values()]
        return [item for part in nested for item in part or []]
    return next((part for part in lists if _all(part, dict)), None)


def _is_item(value: dict[object, object], form: OrderForm) -> bool:
    fields = by_field(value)
    return isinstance(fields.get("question"), str) and (form == "unanswerable" or "answer" in fields)


def _all(values: list[object], kind: type) -> bool:
    return bool(values) and all(isinstance(value, kind) for value in values)


def _labelled(text: str, form: OrderForm, truncated: bool) -> Parsed:
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
        if name == "quotes":
            current.setdefault(name, []).append(value)
        else:
            current.setdefault(name, value)
    last = items[-1] if items else None
    if truncated and form != "unanswerable" and isinstance(last, dict) and "quotes" not in last:
        items = items[:-1]
    if not items:
        return Parsed([], ["it has no pairs in any known form"], readable=False)
    return drafts_of(items, form)
