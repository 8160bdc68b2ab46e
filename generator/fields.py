"""The fields of a pair under the names that models give them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal, get_args

from rapidfuzz import process

from doceo.core.records import Kind
from doceo.text.surrogates import without_surrogates

KINDS: tuple[Kind, ...] = tuple(
    kind for kind in get_args(Kind) if kind not in ("multi-hop", "multi-turn", "unanswerable")
)
"""The kinds that a teacher tells apart; the other three are what was ordered."""
_KIND: dict[str, Kind] = {kind: kind for kind in KINDS}
Field = Literal["question", "answer", "quotes", "kind", "rationale"]
FIELD_NAMES: dict[str, Field] = {
    **dict.fromkeys(("question", "q", "query", "prompt", "ask"), "question"),
    **dict.fromkeys(("answer", "a", "response", "reply", "ans", "completion", "expectedanswer"), "answer"),
    **dict.fromkeys(
        ("quote", "quotes", "evidence", "source", "citation", "excerpt", "proof", "span", "sourcetext", "sentence",
         "supportingquote", "supportingquotes", "supportingtext", "supportingsentence", "reference", "verbatim",
         "context", "passage", "hops"),
        "quotes",
    ),
    **dict.fromkeys(("kind", "type", "category", "questiontype"), "kind"),
    **dict.fromkeys(("rationale", "reasoning", "steps", "thought", "thoughts", "explanation"), "rationale"),
}  # fmt: skip
_RIGHT = frozenset({"question", "answer", "quotes", "quote", "kind", "rationale"})
KIND_NAMES: dict[str, Kind] = {
    **dict.fromkeys(("who", "which", "where", "person", "name", "location", "place", "organisation"), "entity"),
    **dict.fromkeys(("number", "numeric", "numerical", "amount", "howmany", "howmuch", "count"), "quantity"),
    **dict.fromkeys(("when", "time", "year", "temporal"), "date"),
    **dict.fromkeys(("why", "cause", "explanation", "purpose", "causal"), "reason"),
    **dict.fromkeys(("how", "howto", "process", "steps", "procedural", "instruction"), "procedure"),
    **dict.fromkeys(("yesno", "truefalse", "bool", "yes/no"), "boolean"),
    **dict.fromkeys(("difference", "compare", "comparative", "contrast"), "comparison"),
    **dict.fromkeys(("factual", "factoid", "statement"), "fact"),
    **dict.fromkeys(("enumeration", "listing"), "list"),
    **dict.fromkeys(("meaning", "what", "term", "concept"), "definition"),
    **dict.fromkeys(("summarise", "summarize", "overview", "gist"), "summary"),
}
_OPENINGS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("quantity", re.compile(r"\bhow (?:many|much|long|far|often|large|old)\b", re.IGNORECASE)),
    (
        "date",
        re.compile(r"\bwhen (?:was|were|did|is|does|will)\b|\b(?:what|which) (?:year|date|month)\b", re.IGNORECASE),
    ),
    ("reason", re.compile(r"\bwhy\b", re.IGNORECASE)),
    ("comparison", re.compile(r"\bdiffer(?:s|ence|ences)?\b|\bcompared?\b", re.IGNORECASE)),
    ("procedure", re.compile(r"^how (?:do|does|can|should|is|are|to)\b", re.IGNORECASE)),
    ("boolean", re.compile(r"^(?:is|are|was|were|do|does|did|can|may|must|has|have|should|will)\b", re.IGNORECASE)),
    ("entity", re.compile(r"^(?:who|whom|whose|where|which)\b", re.IGNORECASE)),
    (
        "definition",
        re.compile(r"^what (?:is|are) (?:an? )?[\w-]+(?: [\w-]+)?\?$|\bmeans?\b|\bstand for\b", re.IGNORECASE),
    ),
)


def by_field(item: dict[object, object]) -> dict[Field, object]:
    """Return the values of a pair by field, names taken by their nearest meaning; the right name wins."""
    fields: dict[Field, object] = {}
    for key, value in item.items():
        field = _field(str(key)[:60])
        if field is not None and (key in _RIGHT or not fields.get(field)):
            fields[field] = value
    return fields


@lru_cache(maxsize=1024)
def _field(key: str) -> Field | None:
    name = re.sub(r"[^a-z]", "", key.lower())
    field = FIELD_NAMES.get(name)
    if field is None and len(name) > 3:
        near = process.extractOne(name, [known for known in FIELD_NAMES if len(known) > 3], score_cutoff=84)
        field = FIELD_NAMES[near[0]] if near else None
    return field


def text_of(value: object, between: str = ", ") -> str:
    """Return a value as text: numbers as they are, truth as yes or no, several joined; half characters replaced."""
    if isinstance(value, str):
        return without_surrogates(value).strip()
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return between.join(part for part in (text_of(item) for item in value) if part)
    if isinstance(value, dict):
        return next((part for part in (text_of(item) for item in value.values()) if part), "")
    return str(value)


def quotes_of(value: object) -> tuple[str, ...]:
    """Return the quotes that a value holds: one text, a list of them, or a list of steps with a quote each."""
    found = [_quote(item) for item in value] if isinstance(value, list) else [_quote(value)]
    return tuple(dict.fromkeys(quote for quote in found if quote))


def _quote(value: object) -> str:
    if isinstance(value, dict):
        value = by_field(value).get("quotes", value)
    return text_of(value, between=" ... ")


def kind_named(value: object) -> Kind | None:
    """Return the kind that a value means: itself, another word for it, or the nearest in spelling; else None."""
    if isinstance(value, str) and (exact := _KIND.get(value)):
        return exact
    name = re.sub(r"[^a-z0-9]", "", text_of(value)[:60].lower())
    if name in KIND_NAMES:
        return KIND_NAMES[name]
    near = process.extractOne(name, list(_KIND), score_cutoff=75) if name else None
    return _KIND[near[0]] if near else None


def kind_of(question: str) -> Kind:
    """Guess the kind of an English question from its first words; `fact` where they do not tell."""
    return next((kind for kind, pattern in _OPENINGS if pattern.search(question)), "fact")
