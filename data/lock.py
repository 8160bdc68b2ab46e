"""One writer at a time: a lock that goes with its process, and a note of who holds it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from data.jsonl import storage_error, write_text
from doceo.core.errors import RunLocked

LOCK, HOLDER = ".lock", ".lock.pid"


@contextmanager
def writing(folder: Path, what: str, *, instead: str, mode: int = 0o777) -> Iterator[None]:
    """Hold a folder for writing; it is made where it does not exist, and is gone again where nothing was written.

    Args:
        folder: The folder.
        what: What it is, for the message, such as `run`.
        instead: What else the user can do, such as "choose another --out".
        mode: Permissions of a folder that is made, before the umask.

    Raises:
        RunLocked: another process holds it; the message names that process.
        StorageError: the folder cannot be made.
    """
    made = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=mode)
    except OSError as error:
        raise storage_error(error, folder) from error
    lock, holder = FileLock(folder / LOCK), folder / HOLDER
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        who = holder.read_text(encoding="utf-8").strip() if holder.exists() else "another process"
        raise RunLocked(
            f"The {what} {folder} is being written by {who}.", hint=f"Wait for it, or {instead}."
        ) from error
    try:
        write_text(holder, f"process {os.getpid()}\n")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()
        if made and folder.exists() and os.listdir(folder) == [LOCK]:
            shutil.rmtree(folder, ignore_errors=True)
