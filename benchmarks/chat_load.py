"""Many clients that ask a chat endpoint, each one question after the other, and what they saw."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import aiohttp
import numpy as np


@dataclass
class Seen:
    """What clients saw. Times are in seconds.

    Attributes:
        first: From the request to the first word, of each answer.
        whole: From the request to the end, of each answer.
        refused: From the request to the 429, of each that was turned away.
        errors: What else went wrong.
    """

    first: list[float] = field(default_factory=list)
    whole: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def figures(self) -> dict[str, object]:
        """Return medians and 99th percentiles in milliseconds, and counts."""
        shown: dict[str, object] = {"answered": len(self.whole), "refused": len(self.refused)}
        for name in ("first", "whole", "refused"):
            times = getattr(self, name)
            if times and (name != "refused" or self.refused):
                middle, high = np.percentile(times, [50, 99])
                shown |= {f"{name}_p50_ms": round(middle * 1000, 1), f"{name}_p99_ms": round(high * 1000, 1)}
                shown[f"{name}_max_ms"] = round(max(times) * 1000, 1)
        return shown | {"errors": len(self.errors), "first_errors": self.errors[:3]}


async def load(
    address: str,
    model: str,
    questions: Sequence[str],
    *,
    clients: int,
    requests: int | None = None,
    seconds: float | None = None,
    again: float = 0.0,
) -> Seen:
    """Have clients ask until so many requests are made, or so many seconds are over.

    Args:
        address: With its `/v1`.
        model: The model's id.
        questions: What is asked, in turn.
        clients: Clients at once.
        requests: Requests of all clients together.
        seconds: Seconds after which no client begins anew.
        again: Seconds that a client waits after it was turned away.
    """
    seen, asked = Seen(), itertools.cycle(questions)
    end = time.perf_counter() + seconds if seconds else float("inf")
    left: Iterator[int] = iter(range(requests)) if requests else itertools.count()
    limits = aiohttp.TCPConnector(limit=clients)
    async with aiohttp.ClientSession(connector=limits, timeout=aiohttp.ClientTimeout(120)) as session:

        async def client(start: float) -> None:
            await asyncio.sleep(start)
            while time.perf_counter() < end and next(left, None) is not None:
                if not await _ask(session, address, model, next(asked), seen):
                    await asyncio.sleep(again)

        # they do not all begin in the same instant
        await asyncio.gather(*(client(n * 0.2 / clients) for n in range(clients)))
    return seen


async def _ask(session: aiohttp.ClientSession, address: str, model: str, question: str, seen: Seen) -> bool:
    """Ask once and return whether it was answered."""
    body = {"model": model, "stream": True, "messages": [{"role": "user", "content": question}]}
    began = time.perf_counter()
    try:
        async with session.post(f"{address}/chat/completions", json=body) as reply:
            if reply.status == 429:
                await reply.read()
                seen.refused.append(time.perf_counter() - began)
                return False
            if reply.status != 200:
                seen.errors.append(f"{reply.status} {(await reply.text())[:200]}")
                return False
            first, last = 0.0, b""
            async for line in reply.content:
                if line.startswith(b"data: "):
                    if not first and b'"content":' in line and b'"content":""' not in line:
                        first = time.perf_counter() - began
                    last = line
            if b"[DONE]" not in last:
                seen.errors.append(f"no end: {last[:200].decode()}")
                return False
            seen.first.append(first)
            seen.whole.append(time.perf_counter() - began)
            return True
    except (aiohttp.ClientError, TimeoutError) as error:
        seen.errors.append(repr(error))
        return False
