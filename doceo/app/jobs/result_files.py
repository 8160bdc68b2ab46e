"""Files that jobs make for their owners: each is kept once, however often a job is taken up again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from doceo.app.jobs.kind import Work


def kept_files(work: Work, files: Sequence[tuple[Path, str]], *, purpose: str) -> list[str]:
    """Keep files under their names and return their ids; what an earlier worker kept is not kept again.

    Raises LeaseLost, StorageError.
    """
    leases, stored = work.host.store.leases, work.host.store.files
    # not as it was when the job was taken: an earlier call has noted its files there since
    result = leases.result(work.job)
    kept: dict[str, str] = dict(result.get("kept", {}))
    for path, name in files:
        if name not in kept:
            # noted before the file is there: who dies between the two leaves no second one to be made
            begun = result.get("keeping") or stored.new_id()
            leases.keep(work.job, result | {"kept": kept, "keeping": begun})
            if not stored.is_kept(begun):
                work.host.uploads.put(work.job.owner, path, name, purpose, name=begun)
            kept[name] = begun
            result |= {"kept": kept, "keeping": ""}
            leases.keep(work.job, result)
    return [kept[name] for _, name in files]
