"""Deletes all that is kept of an owner, but for the audit log.

The keys go first, so that nothing is added meanwhile, and the rows last: what is left undone by a process that dies is
still named there, and done by the next call.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Collection
from contextlib import closing, suppress

from data.jsonl import storage_error
from doceo.app.host import Host
from doceo.app.jobs.indexing import Indexing
from doceo.core.errors import InputError, JobHeld, NotFound, ProviderError
from doceo.core.protocols import Progress
from doceo.providers.vllm_adapter import unload

_LET_IN = 1.5
"""Seconds for which a running service may still let a revoked key in, and a little for what it has begun then."""
_ENDING = 150.0
"""Seconds that running jobs have to end: a command of theirs has two minutes for its last checkpoint."""
_EVERY = 1.0


def forget(host: Host, owner: str, progress: Progress, sleep: Callable[[float], None] = time.sleep) -> dict[str, int]:
    """Delete everything of an owner; return how many rows there were, by table.

    Raises InputError where there is nothing, JobHeld where jobs do not end, StorageError, IndexUnusable, RunLocked.
    """
    store = host.store
    counts = store.owners.counts(owner)
    if not counts:
        raise InputError(f"There is nothing of {owner!r}.", hint="doceo keys list shows the owners of all keys.")
    valid = [key.id for key in store.keys.all(owner) if key.revoked is None]
    for key in valid:
        store.keys.revoke(key)
    if valid:
        sleep(_LET_IN)
    _end_jobs(host, owner, progress, sleep)
    theirs = store.owners.belongings(owner)
    _delete_indexes(host, owner, theirs.vector_stores)
    for file in theirs.files:
        host.uploads.erase(file)
    for job in theirs.jobs:
        try:
            shutil.rmtree(host.jobs / job)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise storage_error(error, host.jobs / job) from error
    _unload(host, theirs.models, progress)
    store.forget(owner)
    store.database.scrub()
    return counts


def _end_jobs(host: Host, owner: str, progress: Progress, sleep: Callable[[float], None]) -> None:
    """Cancel the jobs of an owner and wait for those that run. Raises JobHeld where they do not end."""
    until, told = time.monotonic() + _ENDING, False
    # again and again: one whose worker dies meanwhile ends at once then
    while running := [job for job in host.store.owners.unended(owner) if not _cancelled(host, owner, job)]:
        if time.monotonic() > until:
            message = f"These jobs have not ended: {', '.join(running)}."
            raise JobHeld(message, hint="Stop the worker that does them, and call this again.")
        if not told:
            progress.say(f"Jobs that run are ended first ({len(running)}); that can take two minutes.")
            told = True
        sleep(_EVERY)


def _cancelled(host: Host, owner: str, job: str) -> bool:
    return host.store.jobs.cancel(owner, job, "The job has been cancelled: everything of its owner is deleted").ended


def _delete_indexes(host: Host, owner: str, names: Collection[str]) -> None:
    with closing(Indexing(host.settings, host.store, host.uploads, host.home)) as indexing:
        for name in names:
            with suppress(NotFound):  # it was marked before, and its index is still there
                host.store.vector_stores.delete(owner, name)
            indexing.run(name)


def _unload(host: Host, names: Collection[str], progress: Progress) -> None:
    """Take models off the vLLM server, where there is one."""
    address = host.settings.service.vllm
    for name in names if address else ():
        try:
            asyncio.run(unload(address, name))
        except ProviderError as error:  # it is gone here; there it answers nobody who may not ask for it
            progress.say(f"{name} stays on the vLLM server: {error.message}")
