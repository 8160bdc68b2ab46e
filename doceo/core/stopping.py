"""A signal that ends the work at the next good moment instead of at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGINT") if hasattr(signal, name))


class Stop:
    """Remembers the first SIGTERM or Ctrl-C; a second one ends the process at once."""

    def __init__(self) -> None:
        self.signal: int | None = None

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Catch both in the main thread while the block runs."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in STOPS}

        def give_back() -> None:
            for number, handler in before.items():
                signal.signal(number, handler)

        def caught(number: int, frame: FrameType | None) -> None:
            self.signal = number
            give_back()

        for number in STOPS:
            signal.signal(number, caught)
        try:
            yield
        finally:
            give_back()

    def end(self) -> None:
        """Let the signal that came have its usual effect, now that the work is saved."""
        if self.signal is not None:
            signal.raise_signal(self.signal)
