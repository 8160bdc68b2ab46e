"""Sees every request: its id, its line in the log, its numbers, its span; and what is left of it when all ends."""

from __future__ import annotations

import asyncio
import json
import logging
import re
import secrets
import time
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from doceo.service.metrics import Metrics
from doceo.service.refusals import error_body
from doceo.service.spans import Spans
from doceo.service.trail import address, route

_log = logging.getLogger("doceo.requests")
_WELL_FORMED = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_STOPPED = "The service was told to stop before the answer was whole. Ask again."


class Watch:
    """The outermost ASGI middleware.

    Args:
        app: What lies behind.
        metrics: Where requests are counted.
        spans: Where they are traced.
        monotonic: Seconds of a clock that is never set.
        ids: Makes ids of requests.
    """

    def __init__(
        self,
        app: ASGIApp,
        metrics: Metrics,
        spans: Spans,
        monotonic: Callable[[], float] = time.monotonic,
        ids: Callable[[], str] = lambda: f"req_{secrets.token_hex(12)}",
    ) -> None:
        self._app, self._metrics, self._spans, self._monotonic, self._ids = app, metrics, spans, monotonic, ids

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; its response carries its id."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-request-id", "")
        name = given if _WELL_FORMED.fullmatch(given) else self._ids()
        state = scope.setdefault("state", {})
        state["request_id"], state["start"] = name, self._monotonic()
        sending = _Sending(send, name)
        self._metrics.started()
        try:
            with self._spans.request(scope, lambda: sending.status):
                await self._app(scope, receive, sending)
        except asyncio.CancelledError:
            await sending.stopped()
            raise
        finally:
            self._ended(scope, sending.status)

    def _ended(self, scope: Scope, status: int) -> None:
        seconds = self._monotonic() - scope["state"]["start"]
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.ended(method, route(scope), status, seconds)
        if _log.isEnabledFor(logging.INFO):
            caller = scope["state"].get("caller")
            fields = {
                "request_id": scope["state"]["request_id"],
                "method": method,
                "route": route(scope),
                "status": status,
                "seconds": round(seconds, 4),
                "key": caller.key if caller else "",
                "address": address(scope),
            }
            _log.info("request", extra={"fields": fields})


class _Sending:
    """The way out of a request. Where nothing was sent the status is 500, which the server sends then."""

    def __init__(self, send: Send, name: str) -> None:
        self._send, self._name = send, name
        self.status = 500
        self._streams = self._ended = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["x-request-id"] = self._name
            headers.setdefault("x-content-type-options", "nosniff")
            self._streams = headers.get("content-type", "").startswith("text/event-stream")
        elif message["type"] == "http.response.body":
            self._ended = not message.get("more_body", False)
        await self._send(message)

    async def stopped(self) -> None:
        """Tell the reader of a stream that it ends here, before its end."""
        if self._streams and not self._ended:
            error = json.dumps(error_body(_STOPPED, "server_error", "service_stopped"))
            await self._send({"type": "http.response.body", "body": f"data: {error}\n\n".encode(), "more_body": False})
