"""How far a task is: a bar on a terminal, lines in a log, JSON for a program."""

from __future__ import annotations

import json
import sys
import time

from rich.console import Console as Terminal
from rich.progress import Progress


class Bar:
    """A task on a terminal."""

    def __init__(self, progress: Progress, task_id: object) -> None:
        self._progress = progress
        self._id = task_id

    def advance(self, n: int = 1, note: str = "") -> None:
        """Move the bar."""
        self._progress.update(self._id, advance=n, note=note)  # type: ignore[arg-type]  # rich's TaskID is an int


class Lines:
    """A task in a log: a line at the start, every ten seconds, and at the end."""

    def __init__(self, terminal: Terminal, name: str, total: int | None, unit: str) -> None:
        self._terminal, self._name, self._total, self._unit = terminal, name, total, unit
        self._done, self._note = 0, ""
        self._start = self._last = time.monotonic()

    def advance(self, n: int = 1, note: str = "") -> None:
        """Count, and say so now and then."""
        self._done += n
        self._note = note or self._note
        if time.monotonic() - self._last > 10:
            self._last = time.monotonic()
            self._print()

    def close(self) -> None:
        """Say how it ended."""
        self._print()

    def _print(self) -> None:
        counted = "" if self._total is None else f"{self._done}/{self._total} {self._unit}"
        note = f"  {self._note}" if self._note else ""
        seconds = time.monotonic() - self._start
        line = f"{self._name:<10} {counted}  {seconds:.1f} s{note}"
        self._terminal.print(line, markup=False, soft_wrap=True)


class JsonLines:
    """A task for a program that reads stderr: an object a line at the start, at most one a second, and at the end."""

    def __init__(self, name: str, total: int | None, unit: str) -> None:
        self._told: dict[str, object] = {"task": name, "total": total, "unit": unit}
        self._done, self._note, self._last = 0, "", time.monotonic()
        self._tell()

    def advance(self, n: int = 1, note: str = "") -> None:
        """Count, and say so once a second."""
        self._done += n
        self._note = note or self._note
        if time.monotonic() - self._last > 1:
            self._last = time.monotonic()
            self._tell()

    def close(self) -> None:
        """Say how it ended."""
        self._tell()

    def _tell(self) -> None:
        tell(self._told | {"done": self._done, "note": self._note})


def tell(value: dict[str, object]) -> None:
    """Write one JSON object as a line to stderr."""
    sys.stderr.write(json.dumps(value) + "\n")
    sys.stderr.flush()
