"""Progress that is shown nowhere: for tests and for callers who do not want any."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from doceo.core.protocols import Task


class SilentTask:
    """A task that nobody watches."""

    def advance(self, n: int = 1, note: str = "") -> None:
        """Do nothing."""


class Silent:
    """A `Progress` that shows nothing."""

    @contextmanager
    def task(self, name: str, total: int | None = None, unit: str = "") -> Iterator[Task]:
        """Open a task that nobody watches."""
        yield SilentTask()

    def say(self, line: str) -> None:
        """Do nothing."""
