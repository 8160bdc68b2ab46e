"""The running children of a worker, and how long they may live."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from doceo.app.jobs.child import Child
from doceo.core import lease

_FRESH = 10.0
"""Seconds since the last heartbeat up to which a new child is started."""


class Children:
    """The running children of a worker. Safe for threads.

    Attributes:
        beaten: When the worker's last heartbeat reached the database, on the clock of `lease.now`.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[Child] = set()
        self.beaten = lease.now()

    @property
    def may_start(self) -> bool:
        """Whether the worker's heartbeats reach the database just now."""
        return lease.now() - self.beaten < _FRESH

    @contextmanager
    def keeping(self, child: Child) -> Iterator[None]:
        """Keep a child alive during the block; it does not outlive the block."""
        with self._lock:
            self._running.add(child)
            child.tick(self.beaten)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(child)
            if child.running():
                child.kill()
            child.ended()

    def tick(self, at: float) -> None:
        """Note a heartbeat of the worker and let the children live on."""
        with self._lock:
            self.beaten = at
            for child in self._running:
                child.tick(at)

    def kill(self) -> None:
        """End all of them at once."""
        with self._lock:
            for child in self._running:
                child.kill()
