"""What a service does by itself: expired files and vector stores go, and indexing that was cut off goes on."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections.abc import Callable
from functools import partial

from doceo.app.host import Host
from doceo.core.errors import DoceoError

EVERY = 60.0
"""Seconds between two looks at what has expired."""
DAY = 86_400.0
"""Seconds for which jobs of indexing that have ended are kept."""
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
    # What a job of indexing came to stands at the files.
    for job in host.store.jobs.prune("indexing", host.store.clock() - DAY):
        shutil.rmtree(host.jobs / job, ignore_errors=True)


def let_go(host: Host) -> None:
    """Close the indexes that are no longer current. Raises IndexUnusable."""
    host.searches.let_go()
    host.assistants.let_go()


async def housekeeping(host: Host) -> None:
    """Look after what is kept until cancelled: first of all after what an earlier process left undone."""
    await _done(host.indexing.all)
    due = time.monotonic()
    while True:
        if time.monotonic() >= due:
            due = time.monotonic() + EVERY
            await _done(partial(sweep, host))
        await _done(partial(let_go, host))
        await asyncio.sleep(LOOK)


async def _done(task: Callable[[], None]) -> None:
    try:
        await asyncio.to_thread(task)
    except DoceoError as error:
        _log.error("What is to be deleted cannot be yet: %s %s", error.message, error.hint)
