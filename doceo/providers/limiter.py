"""The one place that retries, and that keeps a server from being asked too much at once.

Backoff with full jitter (Brooker, AWS Architecture Blog, 2015): the wait before try k is uniform in
[0, min(cap, base * 2**k)], or what the server's `Retry-After` asks for. The number of requests at a time falls by
half on a 429 and grows by one per round of successes (additive increase, multiplicative decrease).
"""

from __future__ import annotations

import random as _random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from doceo.core.errors import ProviderError, RateLimited
from doceo.core.records import ChatReply, ChatRequest
from doceo.providers.remote import RemoteProvider


@dataclass(frozen=True)
class Patience:
    """How long a server is tried. Times are in seconds.

    Attributes:
        tries: Tries of one request.
        first_tries: Tries of a request while the server has never answered: an address that is wrong shows soon.
        base: Upper bound of the first wait; it doubles with every try.
        longest: Upper bound of any wait. A `Retry-After` beyond it is not waited for.
        failures: Tries in a row, over all requests, that may fail before the server counts as dead.
        rest: Time for which a dead server is left alone; then one request may try again.
    """

    tries: int = 6
    first_tries: int = 3
    base: float = 0.5
    longest: float = 60.0
    failures: int = 20
    rest: float = 30.0


class Limited:
    """A provider that is asked a limited number of requests at a time and retried when it fails for a moment.

    429, 5xx, timeouts and lost connections are retried; 400, 401, 403, 404 and replies of a wrong form never.

    Args:
        provider: The provider behind.
        concurrency: Most requests at the same time.
        patience: How long the server is tried.
        sleep: Waits that many seconds.
        random: Uniform in [0, 1).
        clock: Seconds that only grow.
    """

    def __init__(
        self,
        provider: RemoteProvider,
        *,
        concurrency: int = 8,
        patience: Patience | None = None,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = _random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = provider.name
        self.calls = 0
        self.retries = 0
        self._provider = provider
        self._patience = patience or Patience()
        self._sleep, self._random, self._clock = sleep, random, clock
        self._most, self._allowed, self._active = concurrency, float(concurrency), 0
        self._free = threading.Condition()
        self._answered = False
        self._failed_in_row = 0
        self._dead_until = 0.0
        self._dead_because: ProviderError | None = None
        self._not_before = 0.0

    @property
    def host(self) -> str:
        """The host that receives the text."""
        return self._provider.host

    def complete(self, request: ChatRequest) -> ChatReply:
        """Answer a request, after retries where the server fails for a moment. Raises ProviderError."""
        tried = 0
        while True:
            try:
                with self._slot():
                    reply = self._provider.complete(request)
                    self._succeeded()
                    return reply
            except ProviderError as error:
                tried += 1
                self._wait_or_raise(error, tried)

    def stream(self, request: ChatRequest) -> Iterator[str]:
        """Answer piece by piece; retried only while nothing was given out yet. Raises ProviderError."""
        tried = 0
        while True:
            given = False
            try:
                with self._slot():
                    for piece in self._provider.stream(request):
                        given = True
                        yield piece
                    self._succeeded()
                    return
            except ProviderError as error:
                tried += 1
                self._wait_or_raise(error, self._patience.tries if given else tried)

    @contextmanager
    def _slot(self) -> Iterator[None]:
        """Hold one of the allowed requests. Raises ProviderError at once where the server counts as dead."""
        with self._free:
            while self._active >= max(1, int(self._allowed)):
                self._free.wait()
            self._refuse_if_dead()
            self._active += 1
            self.calls += 1
            pause = self._not_before - self._clock()
        try:
            if pause > 0:
                self._sleep(pause)
            yield
        finally:
            with self._free:
                self._active -= 1
                self._free.notify()

    def _refuse_if_dead(self) -> None:
        because = self._dead_because
        if because is None:
            return
        if self._clock() < self._dead_until:
            raise type(because)(
                f"{because.message.rstrip('.')} ({self._failed_in_row} failures in a row; not asked again for now).",
                hint=because.hint,
                retryable=False,
            )
        # One request may look whether the server is back; the others wait for what it finds.
        self._dead_until = self._clock() + self._patience.rest

    def _succeeded(self) -> None:
        with self._free:
            self._answered, self._failed_in_row, self._dead_because = True, 0, None
            self._allowed = min(float(self._most), self._allowed + 1.0 / max(1.0, self._allowed))
            self._free.notify()

    def _wait_or_raise(self, error: ProviderError, tried: int) -> None:
        patience, asked = self._patience, error.retry_after
        limited = isinstance(error, RateLimited)
        with self._free:
            if limited:
                self._answered, self._allowed = True, max(1.0, self._allowed / 2)
                if asked is not None and asked <= patience.longest:
                    self._not_before = max(self._not_before, self._clock() + asked)
            elif error.retryable:
                self._failed_in_row += 1
                if self._failed_in_row >= patience.failures:
                    self._dead_because, self._dead_until = error, self._clock() + patience.rest
            tries = patience.tries if self._answered else patience.first_tries
            if not error.retryable or tried >= tries or (asked or 0.0) > patience.longest or self._dead_because:
                raise error
            self.retries += 1
        jitter = self._random() * min(patience.longest, patience.base * 2 ** (tried - 1))
        self._sleep(jitter if asked is None else asked + min(jitter, patience.base))
