"""Reasoning that a model writes before its answer, between <think> marks, taken out of replies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

_OPEN = re.compile(r"\s*<(think|thinking|reasoning)>", re.IGNORECASE)
_CLOSE = re.compile(r"</(think|thinking|reasoning)>\s*", re.IGNORECASE)


def without_thinking(text: str) -> str:
    """Return a reply without the reasoning at its beginning.

    Some chat templates put the opening mark into the prompt, so that a reply may hold the closing mark alone. A
    block that never closes leaves nothing: the model ran out of tokens before it answered.
    """
    close = _CLOSE.search(text)
    if _OPEN.match(text):
        return text[close.end() :] if close else ""
    if close and not re.search(r"<(think|thinking|reasoning)>", text[: close.start()], re.IGNORECASE):
        return text[close.end() :]
    return text


def stream_without_thinking(pieces: Iterable[str]) -> Iterator[str]:
    """Yield the pieces of a streamed reply without a block that opens at its beginning."""
    held, inside, decided = "", False, False
    for piece in pieces:
        if decided:
            yield piece
            continue
        held += piece
        inside = inside or _OPEN.match(held) is not None
        if inside:
            if close := _CLOSE.search(held):
                decided, held = True, held[close.end() :]
        elif held.strip() and not _may_open(held.lstrip().lower()):
            decided = True
        if decided and held:
            yield held
            held = ""
    if not decided and not inside and held:
        yield held


def _may_open(start: str) -> bool:
    return any(mark.startswith(start) for mark in ("<think>", "<thinking>", "<reasoning>"))
