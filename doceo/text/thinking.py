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


class WithoutThinking:
    """Takes a reply piece by piece and gives it back without the reasoning at its beginning.

    That is held back until it closes; nothing is left of a block that never does.
    """

    def __init__(self) -> None:
        self._held, self._decided = "", False

    def add(self, piece: str) -> str:
        """Take the next piece and return what of the reply is sure by now."""
        if self._decided:
            return piece
        self._held += piece
        start = self._held.lstrip()
        if not start or (start.startswith("<") and len(start) < _LONGEST_MARK):
            return ""
        rest = without_thinking(self._held)
        self._decided = bool(rest)
        return rest

    def end(self) -> str:
        """Return what was held back and is no reasoning."""
        return "" if self._decided else without_thinking(self._held)


def pieces_without_thinking(pieces: Iterator[str]) -> Iterator[str]:
    """Yield a reply piece by piece without the reasoning at its beginning."""
    thinking = WithoutThinking()
    for piece in pieces:
        if rest := thinking.add(piece):
            yield rest
    if rest := thinking.end():
        yield rest
