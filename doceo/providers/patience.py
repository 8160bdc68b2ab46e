"""How long a server that fails is tried, and when it counts as dead."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from doceo.core.errors import ProviderError, RateLimited, ReplyInvalid, RequestRejected

_DOUBT = 3
"""Failures in a row from which a server is in doubt."""


@dataclass(frozen=True)
class Patience:
    """How long a server is tried. Times are in seconds.

    Attributes:
        tries: Tries of one request.
        first_tries: Tries of a request while the server has never answered: an address that is wrong shows soon.
        base: Upper bound of the first wait; it doubles with every try.
        longest: Upper bound of any wait. A `Retry-After` beyond it is not waited for.
        failures: Tries in a row, over all requests, that may fail before the server counts as dead; or twice as many
            as were under way at once, where that is more, so that one interruption does not count as many.
        outage: Time that these failures have to span: what is over sooner is no death.
        rest: Time for which a dead server is left alone; then one request may try again.
        pace: Time between two doublings of the slow start.
    """

    tries: int = 6
    first_tries: int = 3
    base: float = 0.5
    longest: float = 60.0
    failures: int = 20
    outage: float = 1.0
    rest: float = 30.0
    pace: float = 0.1


class Health:
    """What is known of a server from its answers and failures: a circuit breaker, and when to try again.

    Args:
        patience: How long it is tried.
        random: Uniform in [0, 1).
        clock: Seconds that only grow.

    Attributes:
        not_before: The time before which the server asked not to be asked again.
        failed_in_row: Tries that failed since the last answer.
    """

    def __init__(self, patience: Patience, random: Callable[[], float], clock: Callable[[], float]) -> None:
        self.not_before = 0.0
        self.failed_in_row = 0
        self._patience, self._random, self._clock = patience, random, clock
        self._answered, self._most_in_flight = False, 0
        self._dead_because: ProviderError | None = None
        self._dead_until = self._failing_since = 0.0

    @property
    def dead(self) -> bool:
        """Whether a request would be refused because the server failed so often."""
        return self._dead_because is not None and self._clock() < self._dead_until

    @property
    def doubtful(self) -> bool:
        """Whether the last tries have all failed."""
        return self.failed_in_row >= _DOUBT

    def refuse_if_dead(self) -> None:
        """Raise the error that the server died of, while it is left alone."""
        because = self._dead_because
        if because is None:
            return
        if self.dead:
            raise type(because)(
                f"{because.message.rstrip('.')} ({self.failed_in_row} failures in a row; not asked again for now).",
                hint=because.hint,
                retryable=False,
            )
        # One request may look whether the server is back; the others are refused until it has found out.
        self._dead_until = self._clock() + self._patience.rest

    def sent(self, in_flight: int) -> None:
        """Note a request, which makes so many under way."""
        self._most_in_flight = max(self._most_in_flight, in_flight)

    def answered(self) -> None:
        """Note an answer."""
        self._answered, self.failed_in_row, self._most_in_flight, self._dead_because = True, 0, 0, None

    def failed(self, error: ProviderError, tried: int) -> float:
        """Return the seconds to wait before a request's next try, or raise the error where there is none.

        Args:
            error: What the last try ended with.
            tried: How often the request was tried.
        """
        patience, asked = self._patience, error.retry_after
        if isinstance(error, RateLimited):
            self._answered = True
            if asked is not None and asked <= patience.longest:
                self.not_before = max(self.not_before, self._clock() + asked)
        elif error.retryable:
            self._count(error)
        elif isinstance(error, ReplyInvalid | RequestRejected):
            self.answered()
        tries = patience.tries if self._answered else patience.first_tries
        if not error.retryable or tried >= tries or (asked or 0.0) > patience.longest or self._dead_because:
            raise error
        jitter: float = self._random() * min(patience.longest, patience.base * 2 ** (tried - 1))
        return jitter if asked is None else asked + min(jitter, patience.base)

    def _count(self, error: ProviderError) -> None:
        now = self._clock()
        if not self.failed_in_row:
            self._failing_since = now
        self.failed_in_row += 1
        many = self.failed_in_row >= max(self._patience.failures, 2 * self._most_in_flight)
        if many and now - self._failing_since >= self._patience.outage:
            self._dead_because, self._dead_until = error, now + self._patience.rest
