"""What kind of thing a question asks for, by its words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from doceo.text.words import BE, DO, HAVE, MODALS

Asked = Literal[
    "date", "year", "number", "quantity", "percent", "money", "person", "place", "reason", "manner", "definition",
    "boolean", "thing",
]  # fmt: skip

Role = Literal["subject", "object", "copula", "other"]

_PATTERNS: tuple[tuple[Asked, str], ...] = (
    ("year", r"\b(?:what|which)\s+(?:\w+\s+){0,2}(?:years?|decade)\b"),
    ("date", r"\bwhen\b(?!\s+\w+ing\b)|\b(?:what|which)\s+(?:\w+\s+)?(?:date|day|month|century)\b|\bhow long ago\b"),
    ("percent", r"\b(?:what|which)\s+(?:\w+\s+)?(?:percent|percentage|share|fraction|proportion)\b"),
    ("money", r"\bhow much\s+(?:\w+\s+){0,2}(?:money|cost|pay|paid|spen[dt]|worth|charge)"),
    ("money", r"\bhow much (?:do|does|did|is|was|were|would|will)\b.*\b(?:cost|pay|earn|worth|spend|sell|charge)\b"),
    ("money", r"\bwhat\b.*\b(?:price|salary|cost|fee)\b"),
    (
        "quantity",
        r"\bhow\s+(?:long|old|far|tall|high|deep|wide|large|big|small|fast|quickly|heavy|hot|cold|often|late)",
    ),
    ("quantity", r"\b(?:what|which)\s+(?:\w+\s+)?(?:speed|height|length|distance|size|weight|temperature|width)\b"),
    ("number", r"\bhow (?:many|much|few)\b|\b(?:what|which)\s+(?:\w+\s+)?(?:number|amount|quantity|total)\b"),
    ("person", r"\bwho(?:m|se)?\b"),
    ("person", r"\b(?:what|which)\s+(?:\w+\s+){0,2}(?:person|man|woman|king|queen|president|author|leader)\b"),
    ("place", r"\bwhere\b|\b(?:what|which)\s+(?:\w+\s+){0,2}(?:city|country|countries|state|town|place|continent)\b"),
    ("place", r"\b(?:what|which)\s+(?:\w+\s+){0,2}(?:county|province|location|street|nation|island|district)\b"),
    ("reason", r"\bwhy\b|\b(?:what|which)\s+(?:\w+\s+)?reasons?\b|\bwhat\b.*\bcauses?d?\b|\bhow come\b"),
    ("manner", r"\bhow\s+(?:do|does|did|can|could|is|are|was|were|should|would|to|may|might|has|have|had)\b"),
    ("definition", r"^\W*what (?:is|are|was|were) (?:an? |the )?[\w-]+(?: [\w-]+){0,3}\W*$|^\W*(?:define|explain)\b"),
    ("definition", r"^\W*what does [\w -]+ (?:mean|stand for)\W*$"),
    ("boolean", r"^\W*(?:is|are|was|were|do|does|did|can|could|has|have|had|will|would|should|may|must)\b"),
)
_RULES = tuple((kind, re.compile(pattern, re.I)) for kind, pattern in _PATTERNS)
_BESIDE = r"\b(?:what|which|how many|how much|whose)\s+((?:[\w'-]+\s+){0,3}?)"
_HEADS = (
    re.compile(_BESIDE + r"(?:" + "|".join(sorted(BE | DO | HAVE | MODALS)) + r")\b", re.I),
    re.compile(_BESIDE + r"[\w-]+(?:ed|s)\b", re.I),
)
_VERB = re.compile(
    r"\b(?:what|who|whom|which|whose)\b(?:\s+(?:[\w'-]+\s+){0,2}?(?=(?:do|does|did)\b)|\s+)([\w'-]+)", re.I
)
_HELPERS = DO | MODALS | HAVE


@dataclass(frozen=True, slots=True)
class Question:
    """What a question asks for, the noun beside its question word ("which *river* ..."), or nothing, and its role.

    The role is the question word's: `subject` ("What burns oil?"), `object` ("What does the lamp burn?"), `copula`
    ("What is the lamp?"), which says on which side of the verb the answer stands.
    """

    asked: Asked
    head: str = ""
    role: Role = "other"


def understand(question: str) -> Question:
    """Return what a question asks for: the first rule that fits, else a thing."""
    asked: Asked = next((kind for kind, pattern in _RULES if pattern.search(question)), "thing")
    head = next((found for pattern in _HEADS if (found := pattern.search(question))), None)
    return Question(asked, head[1].strip().lower() if head else "", _role(question))


def _role(question: str) -> Role:
    found = _VERB.search(question)
    if found is None:
        return "other"
    verb = found[1].lower()
    return "object" if verb in _HELPERS else "copula" if verb in BE else "subject"
