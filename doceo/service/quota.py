"""How much an owner may keep: the bytes of its files, and of those that are on their way in."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from doceo.app.host import Host
from doceo.service.bodies import MB
from doceo.service.refusals import Refusal


class Quota:
    """Keeps room for uploads. What comes in elsewhere is known here once it is whole.

    Args:
        host: Where the files are, and how many bytes of them an owner may have.
    """

    def __init__(self, host: Host) -> None:
        self._host, self._lock = host, threading.Lock()
        self._coming: Counter[str] = Counter()

    @asynccontextmanager
    async def room(self, owner: str, size: int | None) -> AsyncIterator[int]:
        """Keep room for an upload while it comes in; yields its bytes, or how many there may be where nobody knows.

        Raises Refusal (413), StorageError.
        """
        taken = await run_in_threadpool(self._take, owner, size)
        try:
            yield taken
        finally:
            with self._lock:
                self._coming[owner] -= taken

    def _take(self, owner: str, size: int | None) -> int:
        config = self._host.settings.service
        with self._lock:
            free = config.max_owner_mb * MB - self._host.store.files.used(owner) - self._coming[owner]
            wanted = min(config.max_upload_mb * MB, max(free, 1)) if size is None else size
            if wanted > free:
                raise _full(config.max_owner_mb, max(free, 0))
            self._coming[owner] += wanted
        return wanted


def _full(most: int, free: int) -> Refusal:
    message = (
        f"Your files may take {most} MB, of which {free // MB} MB are free. Delete some with DELETE /v1/files/ID, or"
        " ask whoever runs the service for more (its setting max_owner_mb)."
    )
    return Refusal(413, message, code="storage_quota_exceeded")


async def _quota_of(request: Request) -> Quota:
    found: Quota = request.app.state.quota
    return found


Room = Annotated[Quota, Depends(_quota_of)]
