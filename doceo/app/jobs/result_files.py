"""Files that jobs make for their owners: each is kept once, however often a job is taken up again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from doceo.app.jobs.kind import Work


def kept_files(work: Work, files: Sequence[tuple[Path, str]], *, purpose: str) -> list[str]:
    """Keep files under their names and return their ids; what an earlier worker kept is not kept again.

    Raises LeaseLost, StorageError.
    """
    kept: dict[str, str] = dict(work.job.result.get("kept", {}))
    for path, name in files:
        if name not in kept:
            kept[name] = work.host.uploads.put(work.job.owner, path, name, purpose).id
            work.host.store.leases.keep(work.job, work.job.result | {"kept": kept})
    return [kept[name] for _, name in files]
