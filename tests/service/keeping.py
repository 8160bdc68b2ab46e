"""A service that keeps files and vector stores, and indexes in its own process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from doceo.app.host import Host
from doceo.app.jobs.indexing import Indexing
from tests.service.serving import host_in


class AtOnce:
    """Indexes before the request is answered, in place of a child process."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._indexing = Indexing(host.settings, host.store, host.uploads, host.home)

    def soon(self, store: str) -> None:
        self._indexing.run(store)
        self._host.searches.let_go()

    def all(self) -> None:
        for store in self._host.store.vector_stores.unfinished():
            self.soon(store)


def keeping_host(folder: Path, **settings: Any) -> Host:
    """Return what a service works with, everything in a folder."""
    host = host_in(folder, **settings)
    host.__dict__["indexing"] = AtOnce(host)
    return host


def key_of(host: Host, owner: str, *scopes: Any, collections: tuple[str, ...] = ()) -> str:
    """Return the secret of a new key."""
    _, secret = host.store.keys.create(owner, "test", scopes or ("chat", "ingest"), collections=collections)
    return str(secret)
