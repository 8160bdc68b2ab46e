"""A small corpus put whole in front of every prompt, in the order of its documents, so that it is the same every time.

A server that keeps the beginning of prompts, or a local model with a kept prefix, then reads it once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from doceo.core.errors import UsageError
from doceo.core.fingerprint import sha256
from doceo.core.records import Passage
from rag.compiler import Count, Shield
from rag.layout import Layout

if TYPE_CHECKING:
    from rag.index import Index

_QUESTION = "What is it?"
_FEWEST_BYTES, _BYTES = 8, 4
"""Bytes of text a token: at the very most (beyond that a corpus is refused unread), and as a rule."""
_REST = 512
"""Tokens left for the question and the turns before it, but at most a quarter of the budget."""


@dataclass(frozen=True)
class Pinned:
    """The passages of a corpus.

    Attributes:
        passages: All of them, by source and place.
        tokens: Of the prompt that holds them, by the model's count.
        sha256: Of their texts: what a kept prefix depends on.
    """

    passages: tuple[Passage, ...]
    tokens: int
    sha256: str


def pin(index: Index, count: Count, budget: int, *, model: str, shield: Shield | None = None) -> Pinned:
    """Return the whole corpus of an index as passages for the beginning of a prompt.

    Args:
        index: The open index.
        count: Counts the tokens of messages as the model reads them.
        budget: Most tokens of a prompt.
        model: What the model is called, for the advice.
        shield: Marks as the prompts will have them, for the count.

    Raises UsageError with advice where the corpus is empty or does not fit.
    """
    most = budget - min(_REST, budget // 4)
    size = _bytes(index)
    if not size:
        raise UsageError("There are no passages to pin.", hint="Index some documents first: doceo index SRC.")
    if size > most * _FEWEST_BYTES:
        raise _too_large(size // _BYTES, most, model, about=True)
    passages = passages_in_order(index)
    layout = Layout(_QUESTION, (), passages, "", (), (), shield)
    tokens = count(layout.messages)
    if tokens > most:
        raise _too_large(tokens, most, model, about=False)
    digest = sha256("\0".join(f"{one.title}\n{'>'.join(one.hit.heading_path)}\n{one.text}" for one in passages))
    return Pinned(tuple(passages), tokens, digest)


def passages_in_order(index: Index) -> list[Passage]:
    """Return every passage of an index by source and place, with score 1 and no arms, since nothing was searched."""
    stored = index.texts.chunks(index.texts.chunk_ids())
    return [one.passage(1.0) for one in sorted(stored.values(), key=lambda one: (one.source, one.chunk.span.start))]


def _bytes(index: Index) -> int:
    (size,) = index.texts.query("SELECT COALESCE(SUM(LENGTH(text)), 0) FROM chunks")[0]
    assert isinstance(size, int)
    return size


def _too_large(tokens: int, most: int, model: str, *, about: bool) -> UsageError:
    return UsageError(
        f"The documents have {'about ' if about else ''}{tokens:,} tokens; {model} can be given {most:,} of them "
        "beside a question.",
        hint="Search for every question (--context retrieve), pin a smaller collection, or let a model that reads more "
        f"read more (--context-tokens {-(-(tokens + 2 * _REST) // 1024) * 1024}).",
    )
