"""A close that loses no answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

_SECONDS, _BYTES = 2.0, 16 << 20
"""For how long, and how much of, what still comes is thrown away."""


class Lingering:
    """A transport that closes slowly while its client still sends.

    To close on bytes that nobody has read resets a connection, and the client may lose the answer to its request: why
    its file is not taken. So the way out is closed first, what still comes is read for a while and thrown away, and the
    client, who has read to the end, closes its side.

    Args:
        transport: The transport.
        loop: The event loop.
        sending: Whether the client has not sent all of its request.
    """

    def __init__(self, transport: Any, loop: asyncio.AbstractEventLoop, sending: Callable[[], bool]) -> None:  # noqa: ANN401 - asyncio's
        self._transport, self._loop, self._sending = transport, loop, sending
        self._lingers, self._thrown = False, 0

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - all else is the transport's
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        """Return whether it closes or has closed."""
        return self._lingers or bool(self._transport.is_closing())

    def close(self) -> None:
        """Close, at once or soon."""
        if self.is_closing():
            return
        if not self._sending() or not self._transport.can_write_eof():
            self._transport.close()
            return
        self._lingers = True
        self._transport.write_eof()
        self._transport.resume_reading()
        self._loop.call_later(_SECONDS, self._transport.close)

    def throw(self, data: bytes) -> None:
        """Throw away what has come since it closes."""
        self._thrown += len(data)
        if self._thrown > _BYTES:
            self._transport.close()
