"""How many requests one server gets at a time: learned from what it refuses.

Start: paced slow start. `first` requests at once (ten, as RFC 6928 has it for TCP), doubled every `pace` seconds until
a refusal or the most that is wanted (TCP's slow start, RFC 5681, section 3.1, doubles per round trip; a model's round
trip takes seconds, so that the clock paces it here, as RFC 9002, section 7.7 paces packets).

Then additive increase, multiplicative decrease (Chiu and Jain, 1989): the window halves once for each congestion
event, that is, refusals of requests that were sent before the last decrease do not count again (RFC 6582, section 4).
It remembers at how many the server refused. Below that it grows by half of the distance per round, at it by one slot
after `probe` successes (binary search and maximum probing: Xu, Harfoush and Rhee, "Binary Increase Congestion
Control", INFOCOM 2004). A refused probe only takes the window back, and the next probe waits twice as long.

Pure bookkeeping: no clock, no waiting.
"""

from __future__ import annotations

from dataclasses import dataclass

_LONGEST_PROBE = 4096


@dataclass
class Ticket:
    """A request that holds one slot.

    Attributes:
        event: How many congestion events there had been when it was sent.
        flight: How many requests were under way then, this one included.
        tokens: How many tokens were set aside for it.
    """

    event: int = 0
    flight: int = 0
    tokens: float = 0.0


class Window:
    """The requests that are under way at one server and how many there may be.

    Args:
        most: Most requests at a time.
        first: How many the start allows.
        probe: Successes between two tries to go above the known limit.
    """

    def __init__(self, most: int, *, first: int = 10, probe: int = 64) -> None:
        self._most, self._shortest_probe = most, probe
        self._allowed = float(min(first, most))
        self._held = self._sent = self._events = 0
        self._starting = self._allowed < most
        self._limit: float | None = None
        self._probe, self._step, self._successes = probe, 1, 0

    @property
    def allowed(self) -> int:
        """How many requests may be under way."""
        return max(1, int(self._allowed))

    @property
    def held(self) -> int:
        """How many slots are taken."""
        return self._held

    @property
    def free(self) -> bool:
        """Whether there is a slot."""
        return self._held < self.allowed

    @property
    def starting(self) -> bool:
        """Whether the slow start goes on."""
        return self._starting

    def take(self) -> Ticket:
        """Take a slot."""
        self._held += 1
        return Ticket()

    def send(self, ticket: Ticket) -> None:
        """Note that a slot's request is sent now."""
        self._sent += 1
        ticket.event, ticket.flight = self._events, self._sent

    def ended(self) -> None:
        """Note that a sent request has ended, in whatever way."""
        self._sent -= 1

    def release(self) -> None:
        """Give a slot back."""
        self._held -= 1

    def double(self) -> None:
        """Go on with the slow start."""
        if self._starting:
            self._allowed = min(float(self._most), 2 * self._allowed)
            self._starting = self._allowed < self._most

    def succeeded(self, ticket: Ticket) -> None:
        """Grow after an answer, where the window was in use (RFC 7661: what was not used was not tested)."""
        limit = self._limit
        if limit is None or self._allowed >= self._most or 2 * ticket.flight < self.allowed:
            return
        if self._allowed < limit:
            self._allowed = min(limit, self._allowed + max(1.0, (limit - self._allowed) / 2) / self._allowed)
            self._successes = 0
            return
        self._successes += 1
        if self._allowed > limit and self._successes >= self.allowed:
            # A whole round above the limit went well: it has moved. Go up faster and faster.
            self._limit, self._step, self._probe = self._allowed, 2 * self._step, self._shortest_probe
            self._up()
        elif self._allowed == limit and self._successes >= max(self._probe, 8 * self.allowed):
            self._up()

    def refused(self, ticket: Ticket) -> None:
        """Shrink after a 429."""
        self._starting = False
        if ticket.event != self._events:
            return
        self._events += 1
        self._successes, self._step = 0, 1
        limit = self._limit
        if limit is not None and self._allowed > limit:
            self._allowed = limit
            self._probe = min(_LONGEST_PROBE, 2 * self._probe)
            return
        self._allowed = max(1.0, self._allowed / 2)
        self._limit = max(self._allowed, float(ticket.flight - 1))

    def _up(self) -> None:
        self._allowed = min(float(self._most), self._allowed + self._step)
        self._successes = 0
