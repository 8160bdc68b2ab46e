"""The one place that retries, and that keeps a server from being asked too much at once.

Backoff with full jitter (Brooker, AWS Architecture Blog, 2015): the wait before try k is uniform in
[0, min(cap, base * 2**k)], or what the server's `Retry-After` asks for. How long to try is `patience.py`'s to say, how
many requests may be under way `window.py`'s, how many a minute `pace.py`'s. Nothing here blocks: what waits is a
suspended coroutine.
"""

from __future__ import annotations

import asyncio
import random as _random
import time
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass

from doceo.core.errors import ProviderError, RateLimited
from doceo.core.records import ChatReply, ChatRequest, Usage
from doceo.providers.pace import Pace, Sizes
from doceo.providers.patience import Health, Patience
from doceo.providers.remote import AsyncRemote
from doceo.providers.window import Ticket, Window

_INSTANT = 1e-6
"""Seconds that no clock can wait."""


class Limited:
    """A provider that is asked a limited number of requests at a time and retried when it fails for a moment.

    429, 5xx, timeouts and lost connections are retried; 400, 401, 403, 404 and replies of a wrong form never.
    Used from one event loop.

    Args:
        provider: The provider behind.
        concurrency: Most requests at the same time.
        patience: How long the server is tried.
        rpm: Most requests a minute; None for no limit.
        tpm: Most tokens a minute, of prompts and replies together; None for no limit.
        sleep: Waits that many seconds.
        random: Uniform in [0, 1).
        clock: Seconds that only grow.

    Attributes:
        calls: Requests that were sent, retries included.
        retries: Those of them that were retries.
        on_room: Called when a request would get a slot at once.
    """

    def __init__(
        self,
        provider: AsyncRemote,
        *,
        concurrency: int = 8,
        patience: Patience | None = None,
        rpm: int | None = None,
        tpm: int | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Callable[[], float] = _random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = provider.name
        self.calls = self.retries = 0
        self.on_room: Callable[[], None] = _nobody
        self._provider, self._patience = provider, patience or Patience()
        self._sleep, self._clock = sleep, clock
        self._window = Window(concurrency)
        self._waiting: deque[asyncio.Future[Ticket]] = deque()
        self._growing: asyncio.Task[None] | None = None
        self._requests, self._tokens = Pace(rpm) if rpm else None, Pace(tpm) if tpm else None
        self._sizes = Sizes()
        self._health = Health(self._patience, random, clock)

    @property
    def host(self) -> str:
        """The host that receives the text."""
        return self._provider.host

    @property
    def room(self) -> int:
        """How many requests would get a slot at once."""
        return 0 if self._waiting else max(0, self._window.allowed - self._window.held)

    @property
    def load(self) -> tuple[bool, float]:
        """Whether the last try failed, and the share of the slots that are taken: less is better."""
        return self._health.failed_in_row > 0, self._window.held / self._window.allowed

    @property
    def dead(self) -> bool:
        """Whether a request would be refused because the server failed so often."""
        return self._health.dead

    def ready(self) -> bool:
        """Return whether a request would get a slot at once; if not, more are made while the server allows more."""
        if self.room:
            return True
        if self._window.starting and self._growing is None:
            self._growing = asyncio.create_task(self._grow())
        return False

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer a request, after retries where the server fails for a moment. Raises ProviderError."""
        tries = _Tries()
        while True:
            async with self._try(request, tries) as ticket:
                reply = await self._provider.complete(request)
                self._succeeded(ticket, request, reply.usage)
                return reply

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatReply, None]:
        """Answer piece by piece; retried only while nothing was given out yet. Raises ProviderError."""
        tries, usage = _Tries(), None
        while True:
            async with self._try(request, tries) as ticket, aclosing(self._provider.stream(request)) as pieces:
                async for piece in pieces:
                    tries.last = True
                    if isinstance(piece, ChatReply):
                        usage = piece.usage
                    yield piece
                self._succeeded(ticket, request, usage)
                return

    async def aclose(self) -> None:
        """Close the provider behind."""
        if self._growing is not None:
            self._growing.cancel()
        await self._provider.aclose()

    @asynccontextmanager
    async def _try(self, request: ChatRequest, tries: _Tries) -> AsyncIterator[Ticket]:
        """Hold one of the allowed requests for one try.

        Where the try fails and another may succeed, the error ends here, once it is time for that. Raises ProviderError
        otherwise, at once where the server counts as dead.
        """
        ticket = await self._turn()
        holding = True
        try:
            self._health.refuse_if_dead()
            await self._until_due(ticket, request)
            self.calls += 1
            self._window.send(ticket)
            self._health.sent(ticket.flight)
            try:
                yield ticket
            except RateLimited:
                self._window.refused(ticket)
                raise
            finally:
                self._window.ended()
        except ProviderError as error:
            tries.made += 1
            pause = self._health.failed(error, self._patience.tries if tries.last else tries.made)
            self.retries += 1
            # A server in doubt gets nothing new meanwhile: what waits would all run into the same failure.
            if not self._health.doubtful:
                holding = False
                self._release()
            await self._sleep(pause)
        finally:
            if holding:
                self._release()

    async def _turn(self) -> Ticket:
        if self.ready():
            return self._window.take()
        turn: asyncio.Future[Ticket] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            return await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._release()
            raise

    def _release(self) -> None:
        self._window.release()
        self._hand_out()

    def _hand_out(self) -> None:
        while self._waiting and self._window.free:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(self._window.take())
        if self.room:
            self.on_room()

    async def _grow(self) -> None:
        """Go on with the slow start while requests wait for it."""
        try:
            wanted = True
            while wanted and self._window.starting:
                await self._sleep(self._patience.pace)
                self._window.double()
                self._hand_out()
                wanted = bool(self._waiting)
        finally:
            self._growing = None

    async def _until_due(self, ticket: Ticket, request: ChatRequest) -> None:
        due = now = self._clock()
        if self._requests is not None:
            due = self._requests.reserve(1, now)
        if self._tokens is not None:
            ticket.tokens = self._sizes.guess(request)
            due = max(due, self._tokens.reserve(ticket.tokens, now))
        while (pause := max(due, self._health.not_before) - self._clock()) > _INSTANT:
            await self._sleep(pause)

    def _succeeded(self, ticket: Ticket, request: ChatRequest, usage: Usage | None) -> None:
        self._health.answered()
        self._window.succeeded(ticket)
        if self._tokens is not None and usage is not None and usage.prompt_tokens:
            self._tokens.correct(usage.prompt_tokens + usage.completion_tokens - ticket.tokens)
            self._sizes.learn(request, usage)


@dataclass
class _Tries:
    """How often a request was tried, and whether it must not be tried again."""

    made: int = 0
    last: bool = False


def _nobody() -> None:
    """Tell nobody that there is room."""
