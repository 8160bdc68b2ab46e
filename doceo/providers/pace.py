"""Requests and tokens a minute, as providers count them."""

from __future__ import annotations

from doceo.core.records import ChatRequest, Usage

_CHARACTERS = 4.0
_MARKS = 8
"""Tokens of a message beside its text: its role and its ends."""


class Pace:
    """A token bucket that holds one request: an even rate, nothing saved up.

    Kept as the time at which the bucket is full again (the virtual scheduling form of the generic cell rate
    algorithm, ITU-T I.371), so that a late wake-up loses nothing and a correction afterwards is one addition.

    Args:
        per_minute: What may be spent in a minute.
    """

    def __init__(self, per_minute: float) -> None:
        self._rate = per_minute / 60
        self._next = 0.0

    def reserve(self, amount: float, now: float) -> float:
        """Spend an amount; return the time from which that is allowed, `now` or later, in seconds."""
        start = max(self._next, now)
        self._next = start + amount / self._rate
        return start

    def correct(self, difference: float) -> None:
        """Note that a reservation was too small (positive) or too large (negative) by so much."""
        self._next += difference / self._rate


class Sizes:
    """What a request will take in tokens, guessed from its text and from the replies until now."""

    def __init__(self) -> None:
        self._characters = self._prompt = 0.0
        self._said, self._replies = 0.0, 0

    def guess(self, request: ChatRequest) -> float:
        """Return the tokens of prompt and reply together; before the first reply, a reply counts in full."""
        per_character = self._prompt / self._characters if self._prompt else 1 / _CHARACTERS
        reply = min(float(request.max_tokens), self._said / self._replies if self._replies else request.max_tokens)
        return _length(request) * per_character + reply

    def learn(self, request: ChatRequest, usage: Usage) -> None:
        """Note what a request took."""
        if usage.prompt_tokens:
            self._characters += _length(request)
            self._prompt += usage.prompt_tokens
        if usage.completion_tokens:
            self._said += usage.completion_tokens
            self._replies += 1


def _length(request: ChatRequest) -> float:
    return sum(len(message.content) + _MARKS * _CHARACTERS for message in request.messages)
