"""How much a key may ask: requests in a minute, tokens in a day."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections import defaultdict
from collections.abc import Callable

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from doceo.app.host import Host
from doceo.app.store.usage import DAY, Used
from doceo.core.access import Key
from doceo.core.config import ServiceConfig
from doceo.core.errors import StorageError
from doceo.service.refusals import Refusal

FRESH = 1.0
"""Seconds after which the database is asked again what a key has used, and is told what was used here."""


class Limits:
    """Counts what keys ask and use. Requests are counted in this process, tokens in the database.

    Args:
        host: Where the usage is kept.
        config: The limits of keys that have none of their own.
        monotonic: Seconds of a clock that is never set.
    """

    def __init__(self, host: Host, config: ServiceConfig, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._host, self._config, self._monotonic = host, config, monotonic
        self._window: MovingWindowRateLimiter | None = None
        self._lock = threading.Lock()
        self._pending: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0, 0])
        self._tokens: dict[str, tuple[float, int, int]] = {}

    async def request(self, key: Key) -> dict[str, str]:
        """Count a request; return the headers that say how many are left. Raises Refusal (429)."""
        most = key.requests_per_minute or self._config.requests_per_minute
        hit, left, reset = await self._hit(most, key.id)
        headers = {
            "x-ratelimit-limit-requests": str(most),
            "x-ratelimit-remaining-requests": str(left),
            "x-ratelimit-reset-requests": f"{reset}s",
        }
        if not hit:
            message = f"Rate limit reached: {most} requests in a minute. Try again in {reset} s."
            headers["Retry-After"] = str(reset)
            raise Refusal(429, message, code="rate_limit_exceeded", kind="requests", headers=headers)
        self._count(key.id, 0, 0, requests=1)
        return headers

    async def worth_noting(self, address: str) -> bool:
        """Say whether a refusal of an address is worth an entry in the audit log: 30 in a minute are."""
        return (await self._hit(30, f"refused {address}"))[0]

    async def tokens(self, key: Key) -> dict[str, str]:
        """Return headers with the tokens left of a day. Raises Refusal (429) where there are none, StorageError."""
        most = key.tokens_per_day or self._config.tokens_per_day
        if most is None:
            return {}
        now = self._host.store.clock()
        left, reset = most - await self._used(key.id, int(now // DAY)), math.ceil(DAY - now % DAY)
        headers = {
            "x-ratelimit-limit-tokens": str(most),
            "x-ratelimit-remaining-tokens": str(max(left, 0)),
            "x-ratelimit-reset-tokens": f"{reset}s",
        }
        if left <= 0:
            message = f"This key has used its {most} tokens of today (UTC)."
            headers["Retry-After"] = str(reset)
            raise Refusal(429, message, code="insufficient_quota", kind="insufficient_quota", headers=headers)
        return headers

    def spend(self, key: str, prompt: int, completion: int) -> None:
        """Count the tokens of an answer; callable from any thread."""
        self._count(key, prompt, completion)

    def flush(self) -> None:
        """Write what was counted into the database; what cannot be written is kept for the next time."""
        with self._lock:
            taken, self._pending = self._pending, defaultdict(lambda: [0, 0, 0])
        if not taken:
            return
        try:
            self._host.store.usage.add(Used(key, day, *counts) for (key, day), counts in taken.items())
        except StorageError:
            with self._lock:
                for place, counts in taken.items():
                    self._pending[place] = [a + b for a, b in zip(self._pending[place], counts, strict=True)]
            raise

    def _count(self, key: str, prompt: int, completion: int, *, requests: int = 0) -> None:
        day = int(self._host.store.clock() // DAY)
        with self._lock:
            counts = self._pending[key, day]
            self._pending[key, day] = [counts[0] + requests, counts[1] + prompt, counts[2] + completion]

    async def _used(self, key: str, day: int) -> int:
        """Return the tokens of a day: those in the database, read a second ago at most, and those counted since."""
        known, now = self._tokens.get(key), self._monotonic()
        if known is None or known[1] != day or now - known[0] >= FRESH:
            await asyncio.to_thread(self.flush)
            known = self._tokens[key] = (now, day, await asyncio.to_thread(self._host.store.usage.tokens, key, day))
        with self._lock:
            pending = self._pending.get((key, day), (0, 0, 0))
        return known[2] + pending[1] + pending[2]

    async def _hit(self, most: int, name: str) -> tuple[bool, int, int]:
        """Count an event in the last minute; return whether it fits, how many are left, seconds until one more is."""
        if self._window is None:
            # its storage belongs to the running event loop
            self._window = MovingWindowRateLimiter(MemoryStorage())
        limit = RateLimitItemPerMinute(most)
        hit = await self._window.hit(limit, name)
        stats = await self._window.get_window_stats(limit, name)
        return hit, stats.remaining, max(1, math.ceil(stats.reset_time - time.time()))
