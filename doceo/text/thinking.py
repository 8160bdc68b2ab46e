"""Reasoning that a model writes before its answer, between <think> marks, taken out of replies."""

from __future__ import annotations

import re

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
