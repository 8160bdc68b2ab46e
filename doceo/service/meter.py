"""Measures one request that asks a model: tokens against the key's quota, and times."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import Depends, Request

from doceo.core.access import Key
from doceo.service.limits import Limits
from doceo.service.metrics import Metrics
from doceo.service.spans import Spans


class Meter:
    """What one request uses. Callable from any thread.

    Args:
        key: Whose tokens they are; None where there are no keys.
        start: When the request came, by the monotonic clock.
        limits: Where tokens are counted against the quota.
        metrics: Where everything is counted.
        spans: Where the work is traced.
    """

    def __init__(self, key: Key | None, start: float, limits: Limits, metrics: Metrics, spans: Spans) -> None:
        self._key, self._start, self._limits, self._metrics, self._spans = key, start, limits, metrics, spans
        self._begun = spans.begun()

    def first_token(self, model: str) -> None:
        """Say that the first token of an answer is sent now. `model` is one that the service has, here and below."""
        self._metrics.first_token(model, time.monotonic() - self._start)

    def retrieved(self, seconds: float) -> None:
        """Say how long passages were looked for."""
        self._metrics.retrieved(seconds)

    def used(
        self, model: str, prompt: int, completion: int, *, operation: str = "chat", question: str = "", answer: str = ""
    ) -> None:
        """Count the tokens of a finished answer, or of what there is of one that was broken off.

        Question and answer go into a trace where the settings say so, and nowhere else.
        """
        self._metrics.tokens(model, prompt, completion)
        if self._key is not None:
            self._limits.spend(self._key.id, prompt, completion)
        self._spans.model(self._begun, operation, model, (prompt, completion), (question, answer))


async def meter_of(request: Request) -> Meter:
    """Return the meter of a request. Raises Refusal (429) where the key has no tokens left today."""
    app, key = request.app.state, request.state.key
    if key is not None:
        # the dictionary that the gate adds to the response, also to one that a route makes itself
        request.state.headers.update(await app.limits.tokens(key))
    return Meter(key, request.state.start, app.limits, app.metrics, app.spans)


Metered = Annotated[Meter, Depends(meter_of)]
