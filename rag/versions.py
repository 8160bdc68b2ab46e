"""An index as a folder of versions: one writer, readers that never see half a version.

- `<index>/.lock`: held by the writer, goes with its process
- `<index>/current`: name of the version to read, switched by one atomic rename
- `<index>/000007/`: a complete version, never changed again
- `<index>/.next/`: the version being made; a dead writer's is swept by the next one
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data import lock
from data.jsonl import storage_error, write_text
from doceo.core.errors import IndexUnusable

POINTER, NEXT = "current", ".next"


def current(folder: Path) -> Path | None:
    """Return the folder of the version to read, or None where nothing was ever finished."""
    try:
        name = (folder / POINTER).read_text(encoding="utf-8").strip()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise unusable(folder, "its file `current` cannot be read") from error
    if not name.isdigit() or not (folder / name).is_dir():
        raise unusable(folder, f"its version {name[:20]!r} is not there")
    return folder / name


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Hold an index for writing. Raises RunLocked naming the holder, StorageError."""
    with lock.writing(folder, "index", instead="name another collection", mode=0o700):
        try:
            folder.chmod(0o700)
        except OSError as error:
            raise storage_error(error, folder) from error
        yield


def begin(folder: Path) -> Path:
    """Return an empty work folder for the next version; what a dead writer left is swept. Raises StorageError."""
    work = folder / NEXT
    shutil.rmtree(work, ignore_errors=True)
    try:
        work.mkdir(mode=0o700)
    except OSError as error:
        raise storage_error(error, work) from error
    return work


def publish(folder: Path, work: Path) -> Path:
    """Make a complete work folder the current version, then drop all others. Raises StorageError.

    Readers that have an old version open keep their files on POSIX systems; where open files cannot be deleted,
    the next writer drops them.
    """
    versions = [int(path.name) for path in folder.iterdir() if path.name.isdigit()]
    place = folder / f"{max(versions, default=0) + 1:06d}"
    try:
        _settle(work)
        work.replace(place)
        write_text(folder / POINTER, place.name + "\n")
    except OSError as error:
        raise storage_error(error, place) from error
    for path in folder.iterdir():
        if path.name.isdigit() and path != place:
            shutil.rmtree(path, ignore_errors=True)
    return place


def unusable(folder: Path, why: str) -> IndexUnusable:
    """Return the error for an index that cannot be read, with the way back."""
    return IndexUnusable(
        f"The index {folder} cannot be used: {why}.",
        hint=f"Delete the folder {folder} and index the documents again: doceo index SRC.",
    )


def _settle(folder: Path) -> None:
    """Have every file on the disk before the pointer names the version, so that a power cut finds it whole."""
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb+") as content:
                os.fsync(content.fileno())
