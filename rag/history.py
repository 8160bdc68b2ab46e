"""The turns before a question: which of them are shown, and what a follow-up takes from them.

A question that leans on earlier ones ("And in winter?", "How long does it last?") is searched for as it stands and
with the words that it leaves unsaid (`rag.follow_ups`). The two result lists are fused, each with the weight of the
chance that it is the right one: on CANARD's follow-ups the bare question is a poor query, and an equal say for it costs
more than a wrong guess.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doceo.core.records import Message
from doceo.text.passages import REFUSAL
from rag.follow_ups import FollowUp, understand

if TYPE_CHECKING:
    from rag.compiler import Count


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


def window(history: Sequence[Message], count: Count, budget: int) -> tuple[list[Message], list[Message]]:
    """Return (older turns, turns that are shown), parted before a question, the shown ones within a budget of tokens.

    Where the turns outgrow the budget, the oldest go until half of it is free. So the shown turns begin at the same
    place for many questions: the beginning of the prompt stays the same, as a server's prefix cache wants it, and the
    summary of the older turns has to be made only now and then. The cut depends on the turns alone.
    """
    turns = list(history)
    starts = [at for at, turn in enumerate(turns) if turn.role == "user"] or [0]
    ends = [*starts[1:], len(turns)]
    sizes = [count(turns[start:end]) for start, end in zip(starts, ends, strict=True)]
    first, held = 0, 0
    for at, size in enumerate(sizes):
        held += size
        if held > budget:
            while first <= at and held > budget // 2:
                held -= sizes[first]
                first += 1
    cut = starts[first] if first < len(starts) else len(turns)
    return turns[:cut], turns[cut:]


def leaned_on(question: str, history: Sequence[Message]) -> str:
    """Return the words of the questions before that a question leaves unsaid, or nothing."""
    return " ".join(understand(question, history).asked)


def weighted_queries(question: str, history: Sequence[Message]) -> dict[str, float]:
    """Return what to search for, each with its weight; the weights sum to 1, the question itself comes first."""
    return _weighted(question, understand(question, history))


def _weighted(question: str, follow_up: FollowUp) -> dict[str, float]:
    if not follow_up.words:
        return {question: 1.0}
    return {question: 1.0 - follow_up.chance, f"{question} {' '.join(follow_up.words)}": follow_up.chance}
