"""The most memory that is in use while something runs."""

from __future__ import annotations

import threading
from types import TracebackType

import psutil

EVERY = 0.05
"""Seconds between two looks at the process's memory."""


class Peak:
    """Watches memory while a `with` block runs: of the process, or of the GPU where the model is on one.

    `start` and `most` are bytes. The process's memory is looked at every 50 ms, because its own record of the peak
    also holds what happened before.
    """

    def __init__(self, device: str) -> None:
        self.device = device
        self.start = self.most = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Peak:
        if self.device == "cuda":
            import torch

            torch.cuda.reset_peak_memory_stats()
        self.start = self.most = in_use(self.device)
        if self.device != "cuda":
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.look()
        if self._thread.is_alive():
            self._done.set()
            self._thread.join()

    def look(self) -> int:
        """Return the most bytes until now."""
        if self.device == "cuda":
            import torch

            self.most = int(torch.cuda.max_memory_allocated())
        else:
            self.most = max(self.most, in_use(self.device))
        return self.most

    def _watch(self) -> None:
        while not self._done.wait(EVERY):
            self.most = max(self.most, in_use(self.device))


def in_use(device: str) -> int:
    """Return the bytes that the process has in memory, or that it has on the GPU."""
    if device == "cuda":
        import torch

        return int(torch.cuda.memory_allocated())
    return int(psutil.Process().memory_info().rss)
