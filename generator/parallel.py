"""Many things under way at once, taken in the order in which they were asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


async def in_order(items: Sequence[T], work: Callable[[T], Awaitable[R]], at_once: int) -> AsyncIterator[tuple[T, R]]:
    """Yield every item with the result of its work, in the order of the items, whatever the order of arrival.

    A slow item holds back the yielding, not the work: at most `at_once` items are worked on, and what is done waits.
    What `work` raises is raised at its item's turn, and the rest is cancelled.

    Args:
        items: What is worked on.
        work: Called once for every item.
        at_once: Most items under way.
    """
    if at_once <= 1:
        for item in items:
            yield item, await work(item)
        return
    loop = asyncio.get_running_loop()
    results: list[asyncio.Future[R]] = [loop.create_future() for _ in items]
    waiting = iter(enumerate(items))

    async def worker() -> None:
        for i, item in waiting:
            try:
                results[i].set_result(await work(item))
            except asyncio.CancelledError:
                raise
            except BaseException as error:
                results[i].set_exception(error)
                raise

    workers = [loop.create_task(worker()) for _ in range(min(at_once, len(items)))]
    try:
        for item, result in zip(items, results, strict=True):
            yield item, await result
            # Many results may be ready at once: what is to be sent meanwhile comes between them.
            await asyncio.sleep(0)
    finally:
        await _end(workers, results)


async def _end(workers: Sequence[asyncio.Task[None]], results: Sequence[asyncio.Future[R]]) -> None:
    """Cancel what is under way and look at every result, so that none is reported as never looked at."""
    for task in workers:
        task.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    for result in results:
        if result.done() and not result.cancelled():
            result.exception()
