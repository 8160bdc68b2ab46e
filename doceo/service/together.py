"""Pieces of a stream that come while earlier ones are sent, sent together: every write is a call of the system."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator


async def together(pieces: AsyncGenerator[str, None]) -> AsyncGenerator[str, None]:
    """Yield pieces as soon as they come, joined where several have come by then; what they raise comes after them.

    Leaving early breaks their making off; to close them is for who made them.
    """
    come, some = list[str](), asyncio.Event()

    async def take() -> None:
        try:
            async for piece in pieces:
                come.append(piece)
                some.set()
        finally:
            some.set()

    task = asyncio.create_task(take())
    try:
        while not task.done() or come:
            await some.wait()
            some.clear()
            if come:
                joined = "".join(come)
                come.clear()
                yield joined
        await task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
