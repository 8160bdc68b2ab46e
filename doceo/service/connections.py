"""Connections that end when a request's head does not come in time or is too long, or its answer is not read."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from doceo.service.bodies import SKIPPED
from doceo.service.lingering import Lingering

_LONGEST = SKIPPED
"""Bytes of the first line and the headers; a body that nobody reads any more counts as such, and may be as long."""


def protocol(head_seconds: float, unread_seconds: float) -> type[asyncio.Protocol]:
    """Return uvicorn's own protocol with deadlines for the head of every request and for reading what is answered.

    uvicorn itself has none: a client that sends a byte of a header now and then would keep its connection for ever, and
    one that reads no more of a long answer would keep its place among those being answered.
    """

    class Connection(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # which one it is uvicorn chooses
        _head = 0

        def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - asyncio's
            super().connection_made(Lingering(transport, self.loop, self._sends))
            self._sending = _Deadline(self.loop, head_seconds, transport.close)
            # what was not read by then never will be: waiting for it to be sent would be in vain
            self._reading = _Deadline(self.loop, unread_seconds, transport.abort)
            self._sending.start()

        def _sends(self) -> bool:
            return self.cycle is not None and self.cycle.more_body

        def data_received(self, data: bytes) -> None:
            if self.transport.is_closing():
                self.transport.throw(data)
                return
            super().data_received(data)
            cycle = self.cycle
            if cycle is not None and not cycle.response_complete:
                self._head = 0
                self._sending.stop()
                return
            # a head in parts, or a body that nobody reads any more
            self._head += len(data)
            if self._head > _LONGEST:
                self.transport.close()
            self._sending.start()

        def pause_writing(self) -> None:
            super().pause_writing()
            self._reading.start()

        def resume_writing(self) -> None:
            super().resume_writing()
            self._reading.stop()

        def connection_lost(self, exc: Exception | None) -> None:
            self._sending.stop()
            self._reading.stop()
            super().connection_lost(exc)

    return Connection


class _Deadline:
    """Something that is done after so many seconds, unless it is stopped before."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: float, over: Callable[[], None]) -> None:
        self._loop, self._seconds, self._over = loop, seconds, over
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """Let the time run, if it does not yet."""
        if self._timer is None:
            self._timer = self._loop.call_later(self._seconds, self._over)

    def stop(self) -> None:
        """Let it not be done."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
