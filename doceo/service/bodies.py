"""How much a client may send, and how slowly."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from doceo.core.config import ServiceConfig
from doceo.service.refusals import Refusal

MB = 1 << 20
_FORM = 65536
"""Bytes of a form around the file in it."""
SKIPPED = 65536
"""Bytes of a body that are skipped where nobody reads it; a longer one ends its connection."""
_UPLOADS = re.compile(r"/v1/files/?")


class Bodies:
    """ASGI middleware that counts bytes while they are read and gives up on clients that send too many or too slowly.

    Args:
        app: What lies behind.
        config: The limits.
        monotonic: Seconds of a clock that is never set.
    """

    def __init__(self, app: ASGIApp, config: ServiceConfig, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._app, self._config, self._monotonic = app, config, monotonic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its body counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        upload = scope["method"] == "POST" and _UPLOADS.fullmatch(scope["path"])
        most = self._config.max_upload_mb * MB + _FORM if upload else self._config.max_body_mb * MB
        length = Headers(scope=scope).get("content-length", "")
        if length.isdecimal() and int(length) > most:
            await _too_large(most).response()(scope, receive, unread(scope, send))
            return
        body = _Counted(receive, most, self._config.body_seconds, self._monotonic)
        await self._app(scope, body, unread(scope, send, lambda: not body.whole))


def unread(scope: Scope, send: Send, left: Callable[[], bool] = lambda: True) -> Send:
    """Return how a response is sent that may begin before the body of its request was read to the end.

    The connection ends with such a response, whose client is told: nobody will read the rest. A small rest is skipped.

    Args:
        scope: The request.
        send: The way out.
        left: Whether something of the body is left.
    """
    headers = Headers(scope=scope)
    length = headers.get("content-length", "0")
    if "transfer-encoding" not in headers and length.isdecimal() and int(length) <= SKIPPED:
        return send

    async def closing(message: Message) -> None:
        if message["type"] == "http.response.start" and left():
            MutableHeaders(scope=message)["connection"] = "close"
        await send(message)

    return closing


class _Counted:
    """A body while it is read. Raises Refusal: 413 where it is too large, 408 where it comes too slowly."""

    def __init__(self, receive: Receive, most: int, seconds: float, monotonic: Callable[[], float]) -> None:
        self._receive, self._most, self._seconds, self._monotonic = receive, most, seconds, monotonic
        self._start, self._bytes, self.whole = monotonic(), 0, False

    async def __call__(self) -> Message:
        if self.whole:
            # what comes now is the end of the connection, which may take as long as the answer
            return await self._receive()
        allowed = self._seconds * (self._bytes / MB + 1.0)
        left = min(self._seconds, self._start + allowed - self._monotonic())
        try:
            async with asyncio.timeout(left):
                message = await self._receive()
        except TimeoutError:
            slow = "The body of the request did not come in time."
            raise Refusal(408, slow, code="timeout") from None
        self._bytes += len(message.get("body", b""))
        self.whole = message["type"] != "http.request" or not message.get("more_body", False)
        if self._bytes > self._most:
            raise _too_large(self._most)
        return message


def _too_large(most: int) -> Refusal:
    message = f"The body of the request is larger than {most // MB} MB, the most that is taken here."
    return Refusal(413, message, code="too_large")
