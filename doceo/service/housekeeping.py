"""What a service does by itself: expired files and vector stores go, and indexing that was cut off goes on."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections.abc import Awaitable

from doceo.app.host import Host
from doceo.app.jobs.fine_tuning import ADAPTER
from doceo.core.errors import DoceoError

EVERY = 60.0
"""Seconds between two looks at what has expired."""
DAY = 86_400.0
"""Seconds for which jobs of indexing that have ended are kept."""
HALF = f"*/.{ADAPTER}.work"
"""Where the jobs' folder holds trainings that have not come to their end, with checkpoints as large as their models."""
KEPT = 3 * DAY
"""Seconds for which the checkpoints of a training are kept that failed or was cancelled."""
LOOK = 5.0
"""Seconds between two looks at whether an index that is open is still the current one."""

_log = logging.getLogger("doceo.service")


def sweep(host: Host) -> None:
    """Delete what has expired, and have the indexes that still hold deleted text forget it. Raises StorageError."""
    host.uploads.sweep()
    for store in host.store.vector_stores.expired():
        host.store.attachments.remove(store)
    # also where an earlier try failed: nothing else would try again
    host.indexing.all()
    # What a job of indexing came to stands at the files.
    for job in host.store.jobs.prune("indexing", host.store.clock() - DAY):
        shutil.rmtree(host.jobs / job, ignore_errors=True)
    halves = {path.parent.name: path for path in host.jobs.glob(HALF)}
    for job in host.store.jobs.over(list(halves), host.store.clock() - KEPT):
        shutil.rmtree(halves[job], ignore_errors=True)


async def housekeeping(host: Host) -> None:
    """Look after what is kept until cancelled: first of all after what an earlier process left undone."""
    await done("Indexing that was cut off cannot go on yet", asyncio.to_thread(host.indexing.all))
    due = time.monotonic()
    while True:
        if time.monotonic() >= due:
            due = time.monotonic() + EVERY
            await done("What has expired cannot be deleted yet", asyncio.to_thread(sweep, host))
            await scrub(host)
            prune = asyncio.to_thread(host.store.audit.prune, host.settings.service.audit_days)
            await done("Old entries of the audit log cannot be deleted yet", prune)
        for reader in (host.searches, host.assistants):
            await done("An index that is no longer current cannot be closed yet", asyncio.to_thread(reader.let_go))
        await done("Models that were deleted cannot be let go yet", forget_deleted(host))
        await asyncio.sleep(LOOK)


async def scrub(host: Host) -> None:
    """Leave nothing of what was deleted in the file of the database. It is written anew, so not with each deletion."""
    work = asyncio.to_thread(host.store.database.scrub)
    await done("What was deleted cannot be taken out of the file of the database yet", work)


async def forget_deleted(host: Host) -> None:
    """Let go of tuned models that another process has deleted. Raises StorageError."""
    for model in await asyncio.to_thread(host.assistants.deleted, host.store.models.there):
        await host.assistants.forget(model)


async def done(failure: str, work: Awaitable[object]) -> None:
    """Have something done; where it fails, the log says so, and whoever calls again and again goes on."""
    try:
        await work
    except DoceoError as error:
        _log.error("%s: %s %s", failure, error.message, error.hint)
    except Exception:  # noqa: BLE001 - whatever it is, nothing else that has to be done may end with it
        _log.exception(failure)
