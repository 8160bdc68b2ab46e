"""The prompt: question, history and passages as messages within a token budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from doceo.core.records import Message, Passage
from doceo.text.passages import ask_with_passages, heading_line


class Count(Protocol):
    """Counts the tokens of messages as the model would read them, its template's own marks included."""

    def __call__(self, messages: Sequence[Message]) -> int:
        """Return the number of tokens."""
        ...


def compile_prompt(
    question: str,
    passages: Sequence[Passage],
    history: Sequence[Message],
    count: Count,
    budget: int,
) -> tuple[tuple[Message, ...], list[Passage]]:
    """Return the messages and the passages that they hold, numbered from 1 in this order.

    What does not fit is left out whole: first the turns of the history, oldest first, down to the last exchange; then
    passages, the last-ranked first, down to one; then the rest of the history. The question always stays, and so
    does the first passage: if they alone are too long, the model's own limit decides.

    Args:
        question: What is asked.
        passages: What was found, best first; may be empty.
        history: The turns before, oldest first.
        count: Counts the tokens of messages.
        budget: Most tokens of the prompt.
    """
    turns, kept = list(history), list(passages)
    while True:
        messages = _laid_out(question, kept, turns)
        if count(messages) <= budget:
            return messages, kept
        if len(turns) > 2:  # more than the last question and its answer
            turns = _without_oldest(turns)
        elif len(kept) > 1:
            kept.pop()
        elif turns:
            turns = []
        else:
            return messages, kept


def words_as_tokens(messages: Sequence[Message]) -> int:
    """Estimate the tokens of messages for a model whose tokenizer is not at hand: 3 characters each, and 8 a turn.

    English is nearer 4 characters a token; the estimate is meant to be too high rather than too low.
    """
    return sum(8 + -(-len(message.content) // 3) for message in messages)


def _laid_out(question: str, passages: Sequence[Passage], history: Sequence[Message]) -> tuple[Message, ...]:
    if not passages:
        return (*history, Message(role="user", content=question))
    blocks = [(heading_line(passage.title, passage.hit.heading_path), passage.text) for passage in passages]
    system, asked = ask_with_passages(question, blocks)
    return (system, *history, asked)


def _without_oldest(turns: list[Message]) -> list[Message]:
    """Drop the oldest exchange: up to the next question."""
    for at in range(1, len(turns)):
        if turns[at].role == "user":
            return turns[at:]
    return []


CountText = Callable[[str], int]


def counting(count: CountText, per_message: int = 8) -> Count:
    """Return a `Count` from a function that counts the tokens of a text, with a margin for each message's marks."""

    def counted(messages: Sequence[Message]) -> int:
        return sum(per_message + count(message.content) for message in messages)

    return counted
