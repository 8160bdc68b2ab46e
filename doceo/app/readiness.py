"""Whether a service can do its work, and what it lacks."""

from __future__ import annotations

import logging
from collections.abc import Callable

from doceo.app.host import Host
from doceo.app.runs import DEFAULT_COLLECTION, collection_folder
from doceo.core.errors import CollectionNotFound, DoceoError, IndexUnusable

OK = "ok"
_log = logging.getLogger("doceo.service")


def readiness(host: Host) -> dict[str, str]:
    """Return each part of a service with `ok`, or the code of what is wrong with it; the log says more.

    `worker` is `none` where none is alive that would take jobs.
    """
    parts = {"database": _database, "model": _model, "index": _index, "worker": _worker}
    return {name: _state(name, check, host) for name, check in parts.items()}


def _state(name: str, check: Callable[[Host], str], host: Host) -> str:
    try:
        return check(host)
    except DoceoError as error:
        _log.warning("Not ready: %s: %s %s", name, error.message, error.hint)
        return error.code


def _database(host: Host) -> str:
    host.store.keys.any()
    return OK


def _model(host: Host) -> str:
    host.assistants.warm()
    return OK


def check_collection(host: Host) -> None:
    """Check the collection that the service was started with, if it was. Raises CollectionNotFound, IndexUnusable."""
    if host.assistants.collection:
        _index(host)


def _index(host: Host) -> str:
    """Check the documents that the service was started with; the collection `default` need not be there."""
    from rag import versions

    run, named = host.assistants.run, host.assistants.collection
    folder = run.index if run is not None and not named else collection_folder(named or DEFAULT_COLLECTION, host.home)
    if versions.current(folder) is not None:
        return OK
    if named:
        hint = f"Make it: doceo index SRC --collection {named}"
        raise CollectionNotFound(f"There is no collection {named}.", hint=hint)
    if run is not None:
        raise IndexUnusable(f"There is no index at {folder}.", hint="Make it with doceo index or doceo run.")
    return OK


def _worker(host: Host) -> str:
    return OK if host.store.workers.alive() else "none"
