"""One model at several addresses: the least loaded gets the next request, a dead one is left out."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from doceo.core.errors import (
    AuthenticationFailed,
    ModelNotFound,
    ProviderError,
    RateLimited,
    ServerFailed,
    Unreachable,
)
from doceo.core.records import ChatReply, ChatRequest
from doceo.providers.limiter import Limited

_OF_ADDRESS = (AuthenticationFailed, ModelNotFound, RateLimited, ServerFailed, Unreachable)
"""Errors that another address may not have."""
_LASTING = (AuthenticationFailed, ModelNotFound)


class Balanced:
    """A model behind several addresses, each limited for itself. Used from one event loop.

    A request waits here, not in an address's own queue, until one has room, so that a slow address holds up nobody.
    Where an address fails after its retries, the request goes to the next; the error of the last one is raised.

    Args:
        addresses: The same model at each address; one or more.
    """

    def __init__(self, addresses: Sequence[Limited]) -> None:
        self.name = addresses[0].name
        self._addresses = tuple(addresses)
        self._unusable: set[Limited] = set()
        self._waiting: deque[asyncio.Future[None]] = deque()
        for address in addresses:
            address.on_room = self._call

    @property
    def host(self) -> str:
        """All hosts that receive text, joined by ", "."""
        return ", ".join(address.host for address in self._addresses)

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer a request at the least loaded address. Raises ProviderError."""
        tried: list[Limited] = []
        while True:
            address = await self._choose(tried)
            try:
                return await address.complete(request)
            except _OF_ADDRESS as error:
                self._leave(address, error, tried)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatReply, None]:
        """Answer piece by piece; another address is tried only while nothing was given out. Raises ProviderError."""
        tried: list[Limited] = []
        given = False
        while True:
            address = await self._choose(tried)
            try:
                async with aclosing(address.stream(request)) as pieces:
                    async for piece in pieces:
                        given = True
                        yield piece
                    return
            except _OF_ADDRESS as error:
                if given:
                    raise
                self._leave(address, error, tried)

    async def aclose(self) -> None:
        """Close every address."""
        for address in self._addresses:
            await address.aclose()

    def _leave(self, address: Limited, error: ProviderError, tried: list[Limited]) -> None:
        """Note that an address failed; raises its error where none is left."""
        tried.append(address)
        if isinstance(error, _LASTING):
            self._unusable.add(address)
        if len(tried) == len(self._addresses):
            raise error

    def _alive(self) -> list[Limited]:
        return [one for one in self._addresses if not one.dead and one not in self._unusable]

    async def _choose(self, tried: Sequence[Limited]) -> Limited:
        """Return the least loaded address that is alive, once one has room."""
        while True:
            left = [one for one in self._alive() if one not in tried]
            # Those that count as dead are asked last: they say why.
            left = left or [one for one in self._addresses if one not in tried]
            free = [one for one in left if one.room] or [one for one in left if one.ready()]
            if free or tried or all(one.dead for one in left):
                # A second choice waits in the address's own queue: it has waited here before.
                return min(free or left, key=_load)
            turn = asyncio.get_running_loop().create_future()
            self._waiting.append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if turn.done() and not turn.cancelled():
                    self._call()
                raise

    def _call(self) -> None:
        """Let as many go on as there is room for; those that come too late wait again."""
        room = max(1, sum(one.room for one in self._alive()))
        while self._waiting and room:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                room -= 1


def _load(address: Limited) -> tuple[bool, float]:
    return address.load
