"""Runs a coroutine from plain code, also where an event loop is running already, as in a notebook."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

R = TypeVar("R")


def run_to_end(work: Coroutine[Any, Any, R]) -> R:
    """Return what a coroutine comes to, in an event loop of its own. Raises what it raises."""
    found: list[R] = []

    async def run() -> None:
        # Not returned: when the loop ends, asyncio writes its task out as text, all of its result with it.
        found.append(await work)

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        asyncio.run(run())
    else:
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, run()).result()
    return found[0]
