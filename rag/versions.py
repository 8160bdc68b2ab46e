"""An index as a folder of versions: one writer, readers that never see half a version.

- `<index>/.lock`: held by the writer, goes with its process
- `<index>/current`: name of the version to read, switched by one atomic rename
- `<index>/000007/`: a complete version, never changed again, dropped when a newer one is there and nobody reads it
- `<index>/.next/`: the version being made; a dead writer's is swept by the next one
- `<index>/.dropped-000006/`: a version on its way out
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data import lock
from data.jsonl import storage_error, write_text
from doceo.core import lease
from doceo.core.errors import IndexUnusable, RunLocked
from rag import readers

POINTER, NEXT, DROPPED = "current", ".next", ".dropped-"
_TRIES = 100


def current(folder: Path) -> Path | None:
    """Return the folder of the version to read, or None where nothing was ever finished. Raises IndexUnusable."""
    name = ""
    for _ in range(_TRIES):
        before = name
        try:
            with open(os.path.join(folder, POINTER), "rb", buffering=0) as file:
                name = file.read(64).decode("utf-8").strip()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, UnicodeDecodeError) as error:
            raise unusable(folder, "its file `current` cannot be read") from error
        if name.isdigit() and (folder / name).is_dir():
            return folder / name
        if name == before:
            break  # not a version that was dropped since its name was read
    raise unusable(folder, f"its version {name[:20]!r} is not there")


def read(folder: Path) -> tuple[Path, readers.Hold | None] | None:
    """Return the version to read, held until it is let go, or None where there is none. Raises IndexUnusable."""
    for _ in range(_TRIES):
        version = current(folder)
        if version is None:
            return None
        held = readers.hold(folder, version.name)
        # a writer names the new version first and looks for readers of the old one then: one of us sees the other
        if current(folder) == version:
            return version, held
        if held is not None:
            held.release()
    raise unusable(folder, "its version changes all the time")


@contextmanager
def writing(folder: Path, *, delete: bool = False) -> Iterator[None]:
    """Hold an index for writing, or to delete it; only the user may read it then, and what is not needed is dropped.

    Raises RunLocked naming the holder, StorageError, and IndexUnusable for a folder of something else that is not to be
    deleted.
    """
    if (strange := _foreign(folder)) is not None and not delete:
        raise IndexUnusable(
            f"The folder {folder} is not an index: it holds {strange}.",
            hint="Choose another folder, or empty this one.",
        )
    with lock.writing(folder, "index", instead="name another collection", mode=0o700):
        try:
            folder.chmod(0o700)
        except OSError as error:
            raise storage_error(error, folder) from error
        try:
            yield
        finally:
            shutil.rmtree(folder / NEXT, ignore_errors=True)
            _sweep(folder, _names(folder))
            for path in folder.glob("*"):
                private(path)


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
    """Make a complete work folder the current version, for the writer. Raises StorageError.

    The versions before are dropped when nobody reads them: by the writer, else by the last of their readers, else by
    whoever opens or writes the index next.
    """
    place = folder / f"{max(map(int, _names(folder)), default=0) + 1:06d}"
    try:
        _settle(work)
        lease.check()
        work.replace(place)
        write_text(folder / POINTER, place.name + "\n")
        _sync_folder(folder)
    except OSError as error:
        raise storage_error(error, place) from error
    return place


def drop_old(folder: Path) -> None:
    """Drop the versions before the current one that nobody reads, for anyone at any time."""
    try:
        version = current(folder)
    except IndexUnusable:
        return
    if version is not None:
        _sweep(folder, [name for name in _names(folder) if int(name) < int(version.name)])


def drop_read(folder: Path, version: str) -> None:
    """Drop a version that was read until now, where it is no longer current and nobody else reads it."""
    _sweep(folder, [version])
    if not (folder / POINTER).exists():
        _remove_empty(folder)


def delete(folder: Path) -> None:
    """Delete an index for the writer, but for the version that is still read: its last reader drops that."""
    with writing(folder, delete=True):
        # the pointer last of the files: a reader finds either a whole index or none, and so does the next writer
        files = [path for path in folder.iterdir() if path.name not in (POINTER, lock.LOCK, lock.HOLDER)]
        for path in files:
            if path.is_dir() and not path.is_symlink():
                if not path.name.isdigit() and path.name != readers.FOLDER:
                    shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        (folder / POINTER).unlink(missing_ok=True)
        _sync_folder(folder)
    _remove_empty(folder)


def unusable(folder: Path, why: str) -> IndexUnusable:
    """Return the error for an index that cannot be read, with the way back."""
    return IndexUnusable(
        f"The index {folder} cannot be used: {why}.",
        hint=f"Delete the folder {folder} and index the documents again: doceo index SRC.",
    )


def private(path: Path) -> None:
    """Let only the user read a file or folder, where the system knows such rights."""
    try:
        path.chmod(0o700 if path.is_dir() else 0o600)
    except OSError:
        return


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*") if path.name.isdigit() and path.is_dir())


def _sweep(folder: Path, names: list[str]) -> None:
    """Drop those of the versions that are neither current nor read, and what others began to drop."""
    pointer = folder / POINTER
    try:
        named = pointer.read_text(encoding="utf-8").strip() if pointer.exists() else ""
    except (OSError, UnicodeDecodeError):
        return
    if pointer.exists() and named not in _names(folder):
        return  # damaged: whatever is there may be of use
    _remove_dropped(folder)
    for name in names:
        if name != named and not readers.is_held(folder, name):
            try:
                # in one step, so that a version is whole or not there
                (folder / name).rename(folder / f"{DROPPED}{name}")
            except OSError:
                continue
    _remove_dropped(folder)


def _remove_dropped(folder: Path) -> None:
    for path in folder.glob(f"{DROPPED}*"):
        shutil.rmtree(path, ignore_errors=True)


def _remove_empty(folder: Path) -> None:
    """Remove what is left of a deleted index, unless a version is still read or somebody writes a new one."""
    try:
        if not folder.is_dir() or _names(folder):
            return
        with lock.writing(folder, "index", instead="", mode=0o700):
            if (folder / POINTER).exists() or _names(folder) or (folder / NEXT).exists():
                return
            shutil.rmtree(folder / readers.FOLDER, ignore_errors=True)
        for name in (lock.LOCK, lock.HOLDER):
            (folder / name).unlink(missing_ok=True)
        folder.rmdir()
    except (OSError, RunLocked):
        return


def _foreign(folder: Path) -> str | None:
    """Return the name of something that shows that a folder is not an index, or None."""
    if not folder.is_dir() or (folder / POINTER).exists():
        return None
    others = [path for path in folder.iterdir() if not path.name.startswith(".")]
    ours = [path for path in others if path.name.isdigit() and (path / "manifest.json").is_file()]
    return min((path.name for path in others if path not in ours), default=None)


def _settle(folder: Path) -> None:
    """Have every file on the disk before the pointer names the version, so that a power cut finds it whole."""
    for path in [folder, *folder.rglob("*")]:
        private(path)
        if path.is_file():
            with path.open("rb+") as content:
                os.fsync(content.fileno())
        else:
            _sync_folder(path)


def _sync_folder(folder: Path) -> None:
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
