"""The fields of a pair under the names that models give them."""

from __future__ import annotations

import re
from typing import Literal, TypeVar, get_args

from rapidfuzz import process

from doceo.core.records import Difficulty, Kind

KINDS: tuple[Kind, ...] = get_args(Kind)
DIFFICULTIES: tuple[Difficulty, ...] = get_args(Difficulty)
Field = Literal["question", "answer", "quote", "kind", "difficulty"]
FIELD_NAMES: dict[str, Field] = {
    **dict.fromkeys(("question", "q", "query", "prompt", "ask"), "question"),
    **dict.fromkeys(("answer", "a", "response", "reply", "ans", "completion", "expectedanswer"), "answer"),
    **dict.fromkeys(
        ("quote", "quotes", "evidence", "source", "citation", "excerpt", "proof", "span", "sourcetext", "sentence",
         "supportingquote", "supportingtext", "supportingsentence", "reference", "verbatim", "context", "passage"),
        "quote",
    ),
    **dict.fromkeys(("kind", "type", "category", "questiontype"), "kind"),
    **dict.fromkeys(("difficulty", "level", "complexity"), "difficulty"),
}  # fmt: skip
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
}
DIFFICULTY_NAMES: dict[str, Difficulty] = {
    **dict.fromkeys(("1", "simple", "low", "beginner", "basic"), "easy"),
    **dict.fromkeys(("2", "moderate", "intermediate", "normal", "average"), "medium"),
    **dict.fromkeys(("3", "4", "5", "difficult", "high", "advanced", "complex"), "hard"),
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
        name = re.sub(r"[^a-z]", "", str(key).lower())
        field = FIELD_NAMES.get(name)
        if field is None and len(name) > 3:
            near = process.extractOne(name, [known for known in FIELD_NAMES if len(known) > 3], score_cutoff=84)
            field = FIELD_NAMES[near[0]] if near else None
        if field is not None and (name == field or not fields.get(field)):
            fields[field] = value
    return fields


def text_of(value: object, between: str = ", ") -> str:
    """Return a value as text: numbers as they are, truth as yes or no, several joined."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        return between.join(part for part in (text_of(item) for item in value) if part)
    if isinstance(value, dict):
        return next((part for part in (text_of(item) for item in value.values()) if part), "")
    return str(value).strip()


Name = TypeVar("Name", bound=str)


def nearest(value: object, known: tuple[Name, ...], other: dict[str, Name], default: Name) -> Name:
    """Return the known name that a value means: itself, another word for it, or the nearest in spelling."""
    name = re.sub(r"[^a-z0-9]", "", text_of(value).lower())
    if name in known:
        return name
    if name in other:
        return other[name]
    near = process.extractOne(name, known, score_cutoff=75) if name else None
    return near[0] if near else default


def kind_of(question: str) -> Kind:
    """Guess the kind of an English question from its first words; `fact` where they do not tell."""
    return next((kind for kind, pattern in _OPENINGS if pattern.search(question)), "fact")
