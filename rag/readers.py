"""Who reads which version of an index: one locked file a reader, whose lock goes with the reader's process.

- `<index>/.readers/<version>-<process>-<number>`: locked as long as the version is read there
"""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

from filelock import FileLock, Timeout

FOLDER = ".readers"
_TRIES = 1000


class Hold:
    """A reader's hold on a version: the version is not dropped before `release`."""

    def __init__(self, lock: FileLock, path: Path) -> None:
        self._lock, self._path = lock, path

    def release(self) -> None:
        """Let the version go. May be called again, and from any thread."""
        if self._lock.is_locked:
            _remove(self._path)  # while it is locked, where the system allows that: nobody takes it for his own
            self._lock.release()
            _remove(self._path)


def hold(folder: Path, version: str) -> Hold | None:
    """Hold a version of an index, or None where nothing can be written: there, nobody drops one either."""
    place = folder / FOLDER
    try:
        place.mkdir(mode=0o700, exist_ok=True)
        for number in count():
            path = place / f"{version}-{os.getpid()}-{number}"
            lock = FileLock(path, mode=0o600, thread_local=False)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                # another reader of this process, or of one with the same number in another container
                if number < _TRIES:
                    continue
                return None
            return Hold(lock, path)
    except (OSError, NotImplementedError):
        return None
    return None


def is_held(folder: Path, version: str) -> bool:
    """Return whether a version is being read. The files of readers that died are removed on the way."""
    for path in sorted((folder / FOLDER).glob(f"{version}-*")):
        lock = FileLock(path, mode=0o600, thread_local=False)
        try:
            lock.acquire(timeout=0)
        except (Timeout, NotImplementedError):
            return True
        except OSError:
            continue
        Hold(lock, path).release()
    return False


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return
