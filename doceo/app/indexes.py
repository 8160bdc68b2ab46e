"""Indexes that are open: each once for all who read it, for as long as it is current."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from doceo.core.errors import IndexUnusable

if TYPE_CHECKING:
    from rag.index import Index

_MOST = 64


class Indexes:
    """Opens indexes and keeps those open that were asked for last. Safe for several threads.

    Args:
        embedder: The embedder that they were made with.
    """

    def __init__(self, embedder: str) -> None:
        self._embedder = embedder
        self._open: dict[Path, Index] = {}  # what was asked for last stands last
        self._lock = threading.Lock()

    def get(self, folder: Path) -> Index | None:
        """Return the current index of a folder; None where nothing was indexed yet. Raises IndexUnusable."""
        from doceo.providers.embedders import shared_embedder
        from rag import versions
        from rag.index import Index

        with self._lock:
            known = self._open.get(folder)
        if known is None or not known.is_current():
            if versions.current(folder) is None:
                return None
            # two may open it at once: the one that is not kept is closed when nobody uses it any more
            known = Index.open(folder, shared_embedder(self._embedder))
        with self._lock:
            self._open.pop(folder, None)
            self._open[folder] = known
            while len(self._open) > _MOST:
                self._open.pop(next(iter(self._open)))
        return known

    def let_go(self) -> None:
        """Close what is no longer current: nothing of a deleted text stays on the disk for the sake of a reader."""
        with self._lock:
            for folder, index in [*self._open.items()]:
                if not _is_current(index):
                    del self._open[folder]


def _is_current(index: Index) -> bool:
    try:
        return index.is_current()
    except IndexUnusable:  # it is damaged, which is no reason to keep the others open
        return False
