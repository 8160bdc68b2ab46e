"""How much a key may ask: requests in a minute, tokens in a day; and how often somebody may try keys."""

from __future__ import annotations

import asyncio
import ipaddress
import math
import threading
import time
from collections.abc import Callable

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from doceo.app.host import Host
from doceo.app.store.usage import DAY, Used
from doceo.core.access import Key
from doceo.core.config import ServiceConfig
from doceo.service.refusals import Refusal

FRESH = 1.0
"""Seconds after which the database is asked again what a key has used, and is told what was used here."""
_WRONG_KEYS = RateLimitItemPerMinute(60)
"""Wrong keys of one network that are looked up."""
_NOTED, _NOTED_OF_ALL = 30, 100
"""Refusals in a minute that are noted: of one key or network, and of everybody who shows no key together."""
_NOTHING = (0, 0, 0)


class Limits:
    """Counts what keys ask and use. Requests are counted in this process, tokens in the database.

    Args:
        host: Where the usage is kept.
        config: The limits of keys that have none of their own.
        monotonic: Seconds of a clock that is never set.
    """

    def __init__(self, host: Host, config: ServiceConfig, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._host, self._config, self._monotonic = host, config, monotonic
        self._moving: MovingWindowRateLimiter | None = None
        self._writing, self._lock = threading.Lock(), threading.Lock()
        self._pending: dict[tuple[str, int], tuple[int, int, int]] = {}
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
            raise _too_many(message, "rate_limit_exceeded", reset, headers)
        self._count(key.id, 0, 0, requests=1)
        return headers

    async def check_wrong_keys(self, address: str) -> None:
        """Raise Refusal (429) where so many wrong keys came from an address's network that no more are looked up."""
        if not await self._window.test(_WRONG_KEYS, "wrong key", network(address)):
            reset = await self._reset(_WRONG_KEYS, "wrong key", network(address))
            message = f"Too many wrong API keys came from your address. Try again in {reset} s."
            raise _too_many(message, "too_many_wrong_keys", reset, {})

    async def wrong_key(self, address: str) -> None:
        """Count a wrong key."""
        await self._window.hit(_WRONG_KEYS, "wrong key", network(address))

    async def worth_noting(self, key: str, address: str) -> bool:
        """Say whether a refusal is worth an entry in the audit log; the address counts where there is no key."""
        if key:
            return (await self._hit(_NOTED, f"refused {key}"))[0]
        own = (await self._hit(_NOTED, f"refused {network(address)}"))[0]
        return own and (await self._hit(_NOTED_OF_ALL, "refused"))[0]

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
            raise _too_many(message, "insufficient_quota", reset, headers, kind="insufficient_quota")
        return headers

    def spend(self, key: str, prompt: int, completion: int) -> None:
        """Count the tokens of an answer; callable from any thread."""
        self._count(key, prompt, completion)

    def flush(self) -> None:
        """Write what was counted into the database; what cannot be written is kept for the next time.

        Raises StorageError.
        """
        with self._writing:
            self._write()

    def _write(self) -> None:
        with self._lock:
            taken = dict(self._pending)
        if not taken:
            return
        self._host.store.usage.add(Used(key, day, *counts) for (key, day), counts in taken.items())
        with self._lock:  # in one step, so that whoever reads finds each token once
            for (key, day), counts in taken.items():
                left = tuple(a - b for a, b in zip(self._pending.pop((key, day)), counts, strict=True))
                if any(left):
                    self._pending[key, day] = left[0], left[1], left[2]
                known = self._tokens.get(key)
                if known is not None and known[1] == day:
                    self._tokens[key] = known[0], day, known[2] + counts[1] + counts[2]

    def _count(self, key: str, prompt: int, completion: int, *, requests: int = 0) -> None:
        day = int(self._host.store.clock() // DAY)
        with self._lock:
            counts = self._pending.get((key, day), _NOTHING)
            self._pending[key, day] = counts[0] + requests, counts[1] + prompt, counts[2] + completion

    async def _used(self, key: str, day: int) -> int:
        """Return the tokens of a day: those in the database, read a second ago at most, and those counted since."""
        known, now = self._tokens.get(key), self._monotonic()
        if known is None or known[1] != day or now - known[0] >= FRESH:
            await asyncio.to_thread(self._read, key, day, now)
        with self._lock:
            pending = self._pending.get((key, day), _NOTHING)
            return self._tokens[key][2] + pending[1] + pending[2]

    def _read(self, key: str, day: int, now: float) -> None:
        with self._writing:  # else what is being written could be read twice, or not at all
            self._write()
            tokens = self._host.store.usage.tokens(key, day)
            with self._lock:
                self._tokens[key] = now, day, tokens

    async def _hit(self, most: int, name: str) -> tuple[bool, int, int]:
        """Count an event in the last minute; return whether it fits, how many are left, seconds until one more is."""
        limit = RateLimitItemPerMinute(most)
        hit = await self._window.hit(limit, name)
        stats = await self._window.get_window_stats(limit, name)
        return hit, stats.remaining, _seconds_until(stats.reset_time)

    async def _reset(self, limit: RateLimitItemPerMinute, *names: str) -> int:
        return _seconds_until((await self._window.get_window_stats(limit, *names)).reset_time)

    @property
    def _window(self) -> MovingWindowRateLimiter:
        if self._moving is None:
            # its storage belongs to the running event loop
            self._moving = MovingWindowRateLimiter(MemoryStorage())
        return self._moving


def network(address: str) -> str:
    """Return what who asks from an address can hardly leave: of IPv6 the first 64 bits, which one customer has."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        return f"{int(found) >> 64:x}::/64" if found.ipv4_mapped is None else str(found.ipv4_mapped)
    return str(found)


def _seconds_until(moment: float) -> int:
    return max(1, math.ceil(moment - time.time()))


def _too_many(message: str, code: str, reset: int, headers: dict[str, str], kind: str = "requests") -> Refusal:
    return Refusal(429, message, code=code, kind=kind, headers={**headers, "Retry-After": str(reset)})
