"""What kind of thing a question asks for, by its words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Asked = Literal[
    "date", "year", "number", "quantity", "percent", "money", "person", "place", "reason", "manner", "definition",
    "boolean", "thing",
]  # fmt: skip

_RULES: tuple[tuple[Asked, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.I))
    for kind, pattern in (
        ("year", r"\b(?:what|which)\s+(?:\w+\s+){0,2}(?:years?|decade)\b"),
        ("date", r"\bwhen\b(?!\s+\w+ing\b)|\b(?:what|which)\s+(?:\w+\s+)?(?:date|day|month|century)\b|\bhow long ago\b"),
        ("percent", r"\b(?:what|which)\s+(?:\w+\s+)?(?:percent|percentage|share|fraction|proportion)\b"),
        ("money", r"\bhow much\s+(?:\w+\s+){0,2}(?:money|cost|pay|paid|spen[dt]|worth|charge)|\bhow much (?:does|did|do|is|was|were|would|will)\b.*"
                  r"\b(?:cost|pay|earn|worth|spend|sell|donate|charge|revenue|budget)\b|\bwhat\b.*\b(?:price|salary|cost|fee)\b"),
        ("quantity", r"\bhow\s+(?:long|old|far|tall|high|deep|wide|large|big|small|fast|quickly|heavy|hot|cold|often|late|early|close)\b"
                     r"|\b(?:what|which)\s+(?:\w+\s+)?(?:speed|height|length|distance|size|weight|temperature|age|width|depth|area|rate)\b"),
        ("number", r"\bhow (?:many|much)\b|\b(?:what|which)\s+(?:\w+\s+)?(?:number|amount|quantity|total)\b|\bhow (?:few|numerous)\b"),
        ("person", r"\bwho(?:m|se)?\b|\b(?:what|which)\s+(?:\w+\s+){0,2}(?:person|man|woman|king|queen|president|author|scientist|"
                   r"actor|actress|singer|player|leader|emperor|general|bishop|pope|philosopher|artist|quarterback|coach)\b"),
        ("place", r"\bwhere\b|\b(?:what|which)\s+(?:\w+\s+){0,2}(?:city|country|countries|state|town|place|region|area|continent|river|county|"
                  r"province|location|street|nation|island|village|district)\b"),
        ("reason", r"\bwhy\b|\b(?:what|which)\s+(?:\w+\s+)?reasons?\b|\bwhat\b.*\bcauses?d?\b|\bhow come\b"),
        ("manner", r"\bhow\s+(?:do|does|did|can|could|is|are|was|were|should|would|to|may|might|has|have|had)\b"),
        ("definition", r"^\W*(?:what (?:is|are|was|were) (?:an? |the )?[\w-]+(?: [\w-]+){0,3}\W*$|(?:define|explain)\b|what does [\w -]+ (?:mean|stand for)\W*$)"),
        ("boolean", r"^\W*(?:is|are|was|were|do|does|did|can|could|has|have|had|will|would|should|may|must)\b"),
    )
)  # fmt: skip
_HEAD = re.compile(r"\b(?:what|which|how many|how much|whose)\s+((?:[\w'-]+\s+){0,3}?)(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should|may|might|must|[\w-]+ed|[\w-]+s)\b", re.I)


@dataclass(frozen=True, slots=True)
class Question:
    """What a question asks for, and the noun beside its question word ("which *river* ..."), or nothing."""

    asked: Asked
    head: str = ""


def understand(question: str) -> Question:
    """Return what a question asks for: the first rule that fits, else a thing."""
    asked: Asked = next((kind for kind, pattern in _RULES if pattern.search(question)), "thing")
    head = _HEAD.search(question)
    return Question(asked, head[1].strip().lower() if head else "")
