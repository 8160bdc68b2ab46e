"""An index under a second folder: the version that is current, and what was fitted to it."""

from __future__ import annotations

import shutil
from pathlib import Path

from doceo.core.errors import IndexUnusable
from rag import versions
from rag.calibration import FILE as CALIBRATION


def copy_index(source: Path, target: Path, beside: tuple[str, ...] = (CALIBRATION,)) -> None:
    """Make the current version of one index that of another folder, with the files that stand beside its versions.

    Raises IndexUnusable where there is none, RunLocked, StorageError.
    """
    found = versions.read(source)
    if found is None:
        raise IndexUnusable(f"There is no index at {source}.", hint="Make one from your documents: doceo index SRC.")
    version, hold = found
    try:
        with versions.writing(target):
            work = versions.begin(target)
            shutil.copytree(version, work, dirs_exist_ok=True)
            versions.publish(target, work)
            for name in beside:
                (target / name).unlink(missing_ok=True)
                if (source / name).is_file():
                    shutil.copy2(source / name, target / name)
    finally:
        if hold is not None:
            hold.release()
