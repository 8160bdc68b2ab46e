"""How many questions are answered at once: who comes beyond that is told so at once, rather than kept waiting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, Request

from doceo.service.metrics import Metrics
from doceo.service.refusals import Refusal

_WAIT = 1
"""Seconds after which a client that was turned away may try again."""


class Admission:
    """Counts the questions that are being answered. Used from one event loop.

    Args:
        most: Most at once.
        metrics: Where those turned away are counted.
    """

    def __init__(self, most: int, metrics: Metrics) -> None:
        self._most, self._metrics = most, metrics
        self.active = 0

    def enter(self, request: Request) -> Entry:
        """Return a place, to be left when the answer is whole or its reader gone. Raises Refusal (429).

        A request that is turned away is marked as `busy`: it is nothing for the audit log, which would make it wait.
        """
        if self.active >= self._most:
            self._metrics.refused("busy")
            request.state.busy = True
            raise Refusal(
                429,
                f"{self._most} questions are being answered. Try again in {_WAIT} s.",
                code="busy",
                kind="requests",
                headers={"Retry-After": str(_WAIT)},
            )
        self.active += 1
        return Entry(self)


class Entry:
    """One place among those being answered. Leaving it twice is leaving it once."""

    def __init__(self, admission: Admission) -> None:
        self._admission: Admission | None = admission

    def leave(self) -> None:
        """Give the place back."""
        if self._admission is not None:
            self._admission.active -= 1
            self._admission = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Leave at the end of a block."""
        try:
            yield
        finally:
            self.leave()


async def admission_of(request: Request) -> Admission:
    """Return the application's count, made at the first question."""
    state = request.app.state
    if not hasattr(state, "admission"):
        made = state.admission = Admission(state.host.settings.service.max_chats, state.metrics)
        state.metrics.watch_questions(lambda: made.active)
    found: Admission = state.admission
    return found


Admitted = Annotated[Admission, Depends(admission_of)]
