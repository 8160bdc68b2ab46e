"""The answers to one request, several at once where several are wanted, measured as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing

from doceo.app.served import Begun, Ended, Query, Served
from doceo.core.errors import DoceoError
from doceo.core.records import Citation
from doceo.service.meter import Meter

Shown = str | Citation | Ended


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
        return await asyncio.gather(*map(self._whole, queries))

    async def stream(self, queries: Sequence[Query]) -> AsyncGenerator[tuple[int, Shown], None]:
        """Yield the parts of all answers as they come, each with the number of its answer. Raises DoceoError."""
        if len(queries) == 1:
            async with aclosing(self._parts(queries[0])) as parts:
                async for part in parts:
                    yield 0, part
            return
        arrived: asyncio.Queue[tuple[int, Shown] | DoceoError] = asyncio.Queue()
        tasks = [asyncio.create_task(self._feed(arrived, n, query)) for n, query in enumerate(queries)]
        try:
            left = len(tasks)
            while left:
                found = await arrived.get()
                if isinstance(found, DoceoError):
                    raise found
                left -= isinstance(found[1], Ended)
                yield found
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _feed(self, arrived: asyncio.Queue[tuple[int, Shown] | DoceoError], n: int, query: Query) -> None:
        try:
            async with aclosing(self._parts(query)) as parts:
                async for part in parts:
                    await arrived.put((n, part))
        except DoceoError as error:
            await arrived.put(error)

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
            async with aclosing(self._served.stream(query)) as parts:
                async for part in parts:
                    if isinstance(part, Begun):
                        prompt = part.prompt_tokens
                        if part.search is not None:
                            self._meter.retrieved(part.search)
                        continue
                    if isinstance(part, str):
                        self._note_first()
                        said.append(part)
                    elif isinstance(part, Ended):
                        used, counted = part.answer.usage, True
                        self._used(used.prompt_tokens, used.completion_tokens, query, part.answer.text)
                    yield part
        except DoceoError:
            counted = not said  # where nothing came, nothing was taken
            raise
        finally:
            if not counted and (prompt or said):
                # a model's pieces are about a token each
                self._used(prompt, len(said), query, "".join(said))

    def _note_first(self) -> None:
        if self._first:
            self._first = False
            self._meter.first_token(self._model)

    def _used(self, prompt: int, completion: int, query: Query, answer: str) -> None:
        self._meter.used(self._model, prompt, completion, question=query.question, answer=answer)
