"""A database that is away for a while: what is asked of it is asked again."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from doceo.core.errors import StorageError

AWAY = 60.0
"""Seconds after which a worker that cannot reach the database has ended."""
_PAUSE = 1.0

T = TypeVar("T")


def outlast(ask: Callable[[], T], seconds: float = AWAY) -> T:
    """Ask again for as long as the database may be away: a worker that cannot reach it ends by itself.

    Raises StorageError where the reason is another.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            return ask()
        except StorageError:
            if time.monotonic() > until:
                raise
            time.sleep(_PAUSE)
