"""How many questions are answered at once: who comes beyond that is told so at once, rather than kept waiting."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Depends, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from doceo.service.bodies import unread
from doceo.service.metrics import Metrics
from doceo.service.refusals import Refusal

QUESTIONS = "/v1/chat/completions"
_WAIT = 1
"""Seconds after which a client that was turned away may try again."""


class Admission:
    """Counts the answers that are being given. Used from one event loop.

    Args:
        most: Most at once.
        metrics: Where those turned away are counted.
    """

    def __init__(self, most: int, metrics: Metrics) -> None:
        self._most, self._metrics = most, metrics
        self.active = 0
        metrics.watch_questions(lambda: self.active)

    def check(self, scope: Scope, answers: int = 1) -> None:
        """Raise Refusal (429) where there are not so many places.

        A request that is turned away is marked as `busy`: it is nothing for the audit log, which would make it wait.
        """
        if self.active + answers > self._most:
            self._metrics.refused("busy")
            scope["state"]["busy"] = True
            raise Refusal(
                429,
                f"{self.active} questions are being answered. Try again in {_WAIT} s.",
                code="busy",
                kind="requests",
                headers={"Retry-After": str(_WAIT)},
            )

    def enter(self, request: Request, answers: int = 1) -> Entry:
        """Return a place for each answer, to be left when all are whole or their reader gone.

        Raises Refusal: 429 where there are not enough, 400 where there never are.
        """
        if answers > self._most:
            message = f"{self._most} answers can be given at once here; {answers} are asked for."
            raise Refusal(400, message, code="invalid_value", param="n")
        self.check(request.scope, answers)
        self.active += answers
        return Entry(self, answers)


class Entry:
    """Places among those being answered. Leaving them twice is leaving them once."""

    def __init__(self, admission: Admission, answers: int) -> None:
        self._admission: Admission | None = admission
        self._answers = answers

    def leave(self) -> None:
        """Give the places back."""
        if self._admission is not None:
            self._admission.active -= self._answers
            self._admission = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """Leave at the end of a block."""
        try:
            yield
        finally:
            self.leave()


class Turnstile:
    """ASGI middleware that turns questions away before they are read while there is no place for one more.

    Args:
        app: What lies behind.
        admission: The places.
    """

    def __init__(self, app: ASGIApp, admission: Admission) -> None:
        self._app, self._admission = app, admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with a refusal."""
        if scope["type"] == "http" and scope["path"] == QUESTIONS and scope["method"] == "POST":
            try:
                self._admission.check(scope)
            except Refusal as refusal:
                await refusal.response()(scope, receive, unread(scope, send))
                return
        await self._app(scope, receive, send)


async def admission_of(request: Request) -> Admission:
    """Return the application's count."""
    found: Admission = request.app.state.admission
    return found


Admitted = Annotated[Admission, Depends(admission_of)]
