"""A tally of what a document hides from its readers: left out of its text, but said in its metadata."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Literal

Kind = Literal["comment", "invisible text", "invisible character"]
_PLURALS = {"comment": "comments", "invisible text": "invisible texts", "invisible character": "invisible characters"}


class Tally:
    """What was left out of one document."""

    def __init__(self) -> None:
        self._counts: Counter[Kind] = Counter()
        self._flags: set[str] = set()

    def add(self, kind: Kind, text: str, count: int = 1) -> None:
        """Count something, and look in its text for instructions to a model."""
        from doceo.text.injections import flags  # its patterns are compiled on import, and most documents hide nothing

        self._counts[kind] += count
        self._flags.update(flags(text))

    def metadata(self) -> dict[str, str]:
        """Return `hidden`: how much of what; `hidden_flags`: names of the patterns of injections found in it."""
        said = [f"{count} {kind if count == 1 else _PLURALS[kind]}" for kind, count in sorted(self._counts.items())]
        found = {"hidden": ", ".join(said), "hidden_flags": ", ".join(sorted(self._flags))}
        return {name: value for name, value in found.items() if value}


_current: ContextVar[Tally | None] = ContextVar("hidden", default=None)


@contextmanager
def tallied() -> Iterator[Tally]:
    """Tally what `leave_out` is told of until the end of the block."""
    tally = Tally()
    token = _current.set(tally)
    try:
        yield tally
    finally:
        _current.reset(token)


def leave_out(kind: Kind, text: str, count: int = 1) -> None:
    """Say that something hidden was left out; nothing happens where nobody tallies, or nothing was."""
    tally = _current.get()
    if tally is not None and count and (text.strip() or kind == "invisible character"):
        tally.add(kind, text, count)
