"""Between the asynchronous engine and the rest of the program, which is synchronous, both ways.

`Blocking` gives an asynchronous model a synchronous face: one event loop, in a daemon thread, serves the whole process.
`Threaded` gives a synchronous model, such as a local one, an asynchronous face.
"""

from __future__ import annotations

import asyncio
import atexit
import threading
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from queue import SimpleQueue
from typing import Any, Protocol, TypeVar, runtime_checkable

from doceo.core.protocols import Provider
from doceo.core.records import ChatReply, ChatRequest, Usage
from doceo.providers.journal import Journaled
from doceo.providers.remote import AsyncRemote

_AHEAD = 64
"""Pieces of a stream that may wait for their reader."""
_FAREWELL = 2.0
"""Seconds that closing everything may take when the process ends."""

T = TypeVar("T")


class _Background:
    """The process's event loop, in a thread of its own, started when it is first needed."""

    def __init__(self) -> None:
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    def loop(self) -> asyncio.AbstractEventLoop:
        """Return the running loop; a process that was forked from this one gets its own."""
        with self._starting:
            if self._loop is None or self._thread is None or not self._thread.is_alive():
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(target=self._loop.run_forever, name="providers", daemon=True)
                self._thread.start()
            return self._loop


_background = _Background()
_opened: set[Blocking] = set()
"""Kept until they are closed: a client that is collected while open complains on the terminal."""


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the process's event loop and return its result; an interrupt cancels it.

    May be called from any thread but the loop's own.
    """
    future = asyncio.run_coroutine_threadsafe(coroutine, _background.loop())
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


async def on_background(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the process's event loop and return its result, awaited on the loop at hand."""
    loop = _background.loop()
    if asyncio.get_running_loop() is loop:
        return await coroutine
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, loop))


class Blocking:
    """A remote model for synchronous callers. Safe for several threads.

    Args:
        remote: The model, which nobody else asks: it belongs to the process's event loop from now on.
    """

    def __init__(self, remote: AsyncRemote) -> None:
        self.name = remote.name
        self._remote = remote
        _opened.add(self)

    @property
    def host(self) -> str:
        """The hosts that receive the text."""
        return self._remote.host

    def complete(self, request: ChatRequest) -> ChatReply:
        """Answer a request. Raises as the model behind."""
        return run(self._remote.complete(request))

    def stream(self, request: ChatRequest) -> Iterator[str | ChatReply]:
        """Yield what the model behind yields; a reader that stops early closes the stream. Raises as that model."""
        loop, room = _background.loop(), asyncio.Semaphore(_AHEAD)
        ready: SimpleQueue[str | ChatReply | None] = SimpleQueue()

        async def pump() -> None:
            async with aclosing(self._remote.stream(request)) as pieces:
                async for piece in pieces:
                    await room.acquire()
                    ready.put(piece)

        pumped = asyncio.run_coroutine_threadsafe(pump(), loop)
        pumped.add_done_callback(lambda _: ready.put(None))
        try:
            while (piece := ready.get()) is not None:
                loop.call_soon_threadsafe(room.release)
                yield piece
            pumped.result()
        finally:
            pumped.cancel()

    def asynchronous(self) -> AsyncRemote:
        """Hand the model over to the event loop of a program that has one: here nothing may be asked any more."""
        _opened.discard(self)
        return self._remote

    def spent(self) -> Usage | None:
        """Return what all kept replies of this model took; None where none are kept. Raises StorageError."""
        return self._remote.spent() if isinstance(self._remote, Journaled) else None

    def close(self) -> None:
        """Close connections and files; nothing may be asked afterwards. Left out, it is done when the process ends."""
        _opened.discard(self)
        run(self._remote.aclose())

    async def aclose(self) -> None:
        """As `close`, on the process's event loop."""
        await self._remote.aclose()


class Threaded:
    """A synchronous model for asynchronous callers: each request runs in a thread. Used from one event loop.

    Args:
        provider: The model. With more than one worker it has to be safe for several threads.
        workers: Most requests at the same time.
    """

    host = ""

    def __init__(self, provider: Provider, workers: int = 1) -> None:
        self.name = provider.name
        self._provider, self._free = provider, asyncio.Semaphore(workers)
        # of its own: who waits for a model must not keep those from working who share the threads of a loop
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="model")

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer a request. Raises as the model behind."""
        async with self._free:
            return await self._run(self._provider.complete, request)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatReply, None]:
        """Yield what the model behind yields; leaving early ends its work. Raises as that model."""
        async with self._free:
            pieces = self._provider.stream(request)
            left = False
            try:
                while (piece := await self._run(next, pieces, None)) is not None:
                    yield piece
                left = True
            finally:
                if not left and isinstance(pieces, Generator):
                    # the thread that waits for a piece is not to be closed under its feet
                    await asyncio.shield(self._run(_closed, pieces))

    async def aclose(self) -> None:
        """Do nothing: the model keeps no connection, and its threads end with it."""

    def _run(self, work: Callable[..., T], *args: object) -> asyncio.Future[T]:
        return asyncio.get_running_loop().run_in_executor(self._threads, work, *args)


@runtime_checkable
class HasAsync(Protocol):
    """A model that has an asynchronous face of its own."""

    def asynchronous(self) -> AsyncRemote:
        """Return it."""
        ...


def asynchronous(provider: Provider) -> AsyncRemote:
    """Return a model's asynchronous face: its own, or one request at a time in a thread."""
    return provider.asynchronous() if isinstance(provider, HasAsync) else Threaded(provider)


def _closed(pieces: Generator[Any, None, None]) -> None:
    """Close a generator once it is not running any more."""
    while True:
        try:
            pieces.close()
        except ValueError:  # another thread waits for its next piece
            time.sleep(0.005)
        else:
            return


def _close_all() -> None:
    """Say goodbye to every server when the process ends; whatever takes longer is left behind."""

    async def close() -> None:
        await asyncio.gather(*(one.aclose() for one in list(_opened)), return_exceptions=True)

    if _opened:
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(close(), _background.loop()).result(_FAREWELL)


atexit.register(_close_all)
