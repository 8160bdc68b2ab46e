"""What a service does by itself: expired files and vector stores go, and indexing that was cut off goes on."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

from doceo.app.host import Host
from doceo.core.errors import StorageError

EVERY = 60.0
"""Seconds between two looks at what has expired."""
LOOK = 5.0
"""Seconds between two looks at whether an index that is open is still the current one."""

_log = logging.getLogger("doceo.service")


def sweep(host: Host) -> None:
    """Delete what has expired, and have the indexes that held it forget it. Raises StorageError."""
    stores = set(host.uploads.sweep())
    for store in host.store.vector_stores.expired():
        host.store.attachments.remove(store)
        stores.add(store)
    for store in sorted(stores):
        host.indexing.soon(store)


async def housekeeping(host: Host) -> None:
    """Look after what is kept until cancelled: first of all after what an earlier process left undone."""
    due: Callable[[], None] = host.indexing.all
    swept = 0.0
    while True:
        try:
            await asyncio.to_thread(due)
            due = host.searches.let_go
            if time.monotonic() - swept > EVERY:
                await asyncio.to_thread(sweep, host)
                swept = time.monotonic()
        except StorageError as error:
            _log.error("What has expired cannot be deleted yet: %s", error.message)
        await asyncio.sleep(LOOK)
