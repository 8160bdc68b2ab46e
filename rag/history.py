"""Follow-up questions: what they leave unsaid is taken from the turns before, by rule.

A question that leans on an earlier one ("And in winter?", "How long does it last?") is searched as it stands and
with the words of the last question before it; the two result lists are fused by reciprocal rank, so a wrong guess
costs little.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from doceo.core.protocols import Retriever
from doceo.core.records import Message, Passage
from doceo.text.passages import REFUSAL
from doceo.text.words import content_words

_LEANS = re.compile(
    r"^\s*(?:and|but|or|so|then|also|what about|how about|what else|really|why|when|where|who|how)\b[^.!?]{0,25}\?*\s*$"
    r"|\b(?:it|its|he|she|him|his|her|they|them|their|theirs|this|that|these|those|there|the same|the other|the former"
    r"|the latter|one|ones|such|else|instead|more|another)\b",
    re.I,
)
_SHORT = 4
"""A question of fewer content words than this may lean on the one before it."""
_LONGEST = 400
"""Most characters taken from an earlier turn."""
_RANK = 10
"""The constant of reciprocal rank fusion (Cormack, Clarke and Buettcher 2009)."""


def without_refusals(history: Sequence[Message]) -> list[Message]:
    """Return the turns of a conversation without refused questions and their refusals.

    A model that reads its own refusals goes on refusing.
    """
    kept: list[Message] = []
    for message in history:
        if message.role == "assistant" and message.content.strip() == REFUSAL:
            if kept and kept[-1].role == "user":
                kept.pop()
        else:
            kept.append(message)
    return kept


def leans(question: str) -> bool:
    """Say whether a question seems to need the one before it."""
    return bool(_LEANS.search(question)) or len(content_words(question)) < _SHORT


def leaned_on(question: str, history: Sequence[Message]) -> str:
    """Return the question that this one leans on, its end cut off where it is long, or nothing."""
    asked = [message.content for message in history if message.role == "user"]
    return asked[-1][:_LONGEST].strip() if asked and leans(question) else ""


def queries(question: str, history: Sequence[Message]) -> list[str]:
    """Return what to search for: the question, and where it leans on the history also the two questions together."""
    before = leaned_on(question, history)
    return [question, f"{before} {question}"] if before else [question]


def search(retriever: Retriever, question: str, history: Sequence[Message], k: int) -> list[Passage]:
    """Return the k best passages for a question in its conversation, best first."""
    asked = queries(question, history)
    if len(asked) == 1:
        return retriever.search(question, k)
    scores: dict[str, float] = {}
    passages: dict[str, Passage] = {}
    # the scores that a hit shows are those of the fuller query
    for query in reversed(asked):
        for rank, passage in enumerate(retriever.search(query, 2 * k), 1):
            key = passage.hit.chunk_id
            scores[key] = scores.get(key, 0.0) + 1.0 / (_RANK + rank)
            passages.setdefault(key, passage)
    return [passages[key] for key in sorted(scores, key=lambda key: (-scores[key], key))[:k]]
