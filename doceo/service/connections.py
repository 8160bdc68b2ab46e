"""Connections that end when a request's head does not come in time, or is too long."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.auto import AutoHTTPProtocol

_LONGEST_HEAD = 65536
"""Bytes of the first line and the headers."""


def protocol(seconds: float) -> type[asyncio.Protocol]:
    """Return uvicorn's own protocol with a deadline for the head of every request.

    uvicorn itself has none: a client that sends a byte of a header now and then would keep its connection for ever.
    """

    class Connection(AutoHTTPProtocol):  # type: ignore[misc, valid-type]  # which one it is uvicorn chooses
        _deadline: asyncio.TimerHandle | None = None
        _head = 0

        def connection_made(self, transport: Any) -> None:  # noqa: ANN401 - asyncio's
            super().connection_made(transport)
            self._wait()

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            cycle = self.cycle
            if cycle is not None and not cycle.response_complete:
                self._stop()
                return
            # a head in parts, or a body that nobody reads any more
            self._head += len(data)
            if self._head > _LONGEST_HEAD:
                self.transport.close()
            self._wait()

        def connection_lost(self, exc: Exception | None) -> None:
            self._stop()
            super().connection_lost(exc)

        def _wait(self) -> None:
            if self._deadline is None:
                self._deadline = self.loop.call_later(seconds, self.transport.close)

        def _stop(self) -> None:
            self._head = 0
            if self._deadline is not None:
                self._deadline.cancel()
                self._deadline = None

    return Connection
