"""Files that jobs make for their owners: each is kept once, however often a job is taken up again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from doceo.app.jobs.kind import Work


def kept_files(work: Work, files: Sequence[tuple[Path, str]], *, purpose: str) -> list[str]:
    """Keep files under their names and return their ids; what an earlier worker kept is not kept again.

    Raises LeaseLost, StorageError.
    """
    leases = work.host.store.leases
    # not as it was when the job was taken: an earlier call has noted its files there since
    result = leases.result(work.job)
    kept: dict[str, str] = dict(result.get("kept", {}))
    for path, name in files:
        if name not in kept:
            kept[name] = work.host.uploads.put(work.job.owner, path, name, purpose).id
            leases.keep(work.job, result | {"kept": kept})
    return [kept[name] for _, name in files]
