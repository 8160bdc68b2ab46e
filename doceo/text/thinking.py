"""Reasoning that a model writes before its answer, between <think> marks, taken out of replies."""

from __future__ import annotations

import re
from collections.abc import Iterator

_OPEN = re.compile(r"\s*<(think|thinking|reasoning)>", re.IGNORECASE)
_LONGEST_MARK = len("</reasoning>")
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


def pieces_without_thinking(pieces: Iterator[str]) -> Iterator[str]:
    """Yield a reply piece by piece without the reasoning at its beginning, which is held back until it closes."""
    held, decided = "", False
    for piece in pieces:
        if decided:
            yield piece
            continue
        held += piece
        start = held.lstrip()
        if not start or (start.startswith("<") and len(start) < _LONGEST_MARK):
            continue
        if rest := without_thinking(held):
            decided = True
            yield rest
    if not decided and (rest := without_thinking(held)):
        yield rest
