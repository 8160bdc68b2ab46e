"""The answers to one request, several at once where several are wanted, measured as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any, TypeVar

from doceo.app.served import Begun, Ended, Query, Served
from doceo.core.errors import DoceoError
from doceo.core.records import Citation, Usage
from doceo.service.meter import Meter

Shown = str | Citation | Ended
T = TypeVar("T")


class Answers:
    """Asks one system.

    Args:
        served: The system.
        meter: Counts what it takes.
        model: Its name for the meter.
    """

    def __init__(self, served: Served, meter: Meter, model: str) -> None:
        self._served, self._meter, self._model = served, meter, model
        self._first = True

    async def all(self, queries: Sequence[Query]) -> list[Ended]:
        """Return all answers. Raises DoceoError."""
        if not self._served.draws:
            return [await self._whole(queries[0])] * len(queries)
        async with _together(map(self._whole, queries)) as tasks:
            return await asyncio.gather(*tasks)

    async def stream(self, queries: Sequence[Query]) -> AsyncGenerator[tuple[int, Shown], None]:
        """Yield the parts of all answers as they come, each with the number of its answer. Raises DoceoError."""
        if len(queries) == 1:
            async with aclosing(self._parts(queries[0])) as parts:
                async for part in parts:
                    yield 0, part
            return
        arrived: asyncio.Queue[tuple[int, Shown | None]] = asyncio.Queue()
        async with _together(self._feed(arrived, n, query) for n, query in enumerate(queries)) as tasks:
            left = len(tasks)
            while left:
                n, found = await arrived.get()
                if found is None:
                    left -= 1
                    await tasks[n]  # raises what went wrong
                else:
                    yield n, found

    async def _feed(self, arrived: asyncio.Queue[tuple[int, Shown | None]], n: int, query: Query) -> None:
        """Put the parts of one answer into a queue, and None behind them, however it ends."""
        try:
            async with aclosing(self._parts(query)) as parts:
                async for part in parts:
                    arrived.put_nowait((n, part))
        finally:
            arrived.put_nowait((n, None))

    async def _whole(self, query: Query) -> Ended:
        async with aclosing(self._parts(query)) as parts:
            async for part in parts:
                if isinstance(part, Ended):
                    return part
        raise AssertionError("a stream ends with the answer, or raises")

    async def _parts(self, query: Query) -> AsyncGenerator[Shown, None]:
        """Yield the parts of one answer; what is broken off counts as far as it came."""
        prompt, said, counted = 0, list[str](), False
        try:
            async with aclosing(self._served.stream(query, self._aside)) as parts:
                async for part in parts:
                    if isinstance(part, Begun):
                        prompt = part.prompt_tokens
                        continue
                    if isinstance(part, str):
                        self._note_first()
                        said.append(part)
                    elif isinstance(part, Ended):
                        counted = True
                        self._ended(part, query)
                    yield part
        except DoceoError:
            counted = not said  # where nothing came, nothing was taken
            raise
        finally:
            if not counted and (prompt or said):
                # a model's pieces are about a token each
                self._used(prompt, len(said), query, "".join(said))

    def _aside(self, used: Usage) -> None:
        """Count what a rewriting or a summary took."""
        self._meter.used(self._model, used.prompt_tokens, used.completion_tokens)

    def _note_first(self) -> None:
        if self._first:
            self._first = False
            self._meter.first_token(self._model)

    def _ended(self, ended: Ended, query: Query) -> None:
        trace, used = ended.answer.trace, ended.answer.usage
        if trace is not None and "retrieve" in trace.seconds:
            self._meter.retrieved(trace.seconds["retrieve"])
        self._used(used.prompt_tokens, used.completion_tokens, query, ended.answer.text)

    def _used(self, prompt: int, completion: int, query: Query, answer: str) -> None:
        self._meter.used(self._model, prompt, completion, question=query.question, answer=answer)


@asynccontextmanager
async def _together(works: Iterable[Coroutine[Any, Any, T]]) -> AsyncGenerator[list[asyncio.Task[T]], None]:
    """Begin several works at once; whatever ends the block ends those that are not done."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
