"""Who a worker is: an id of its own that it keeps when it is started again, so that it finds its jobs at once."""

from __future__ import annotations

import re
import secrets
import socket
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from data.jsonl import storage_error, write_text

WORKERS = ".workers"
_MOST = 1000


class Identity:
    """The id of a worker, held for as long as its process lives: no two processes have one at the same time.

    The first slot of this machine that no living process holds is taken; its file keeps the id. A folder that several
    machines share has slots for each of them.

    Args:
        jobs: The folder of jobs.
        machine: The name of this machine.
        ids: Makes ids that nobody else has.
    """

    def __init__(
        self,
        jobs: Path,
        machine: str = "",
        ids: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self._ids = ids
        self._machine = re.sub(r"[^A-Za-z0-9.-]+", "-", machine or socket.gethostname())[:60] or "machine"
        self._slot, self._lock = self._free(jobs / WORKERS)
        known = self._slot.read_text(encoding="utf-8").strip() if self._slot.is_file() else ""
        self.worker = known or self.renew()

    def renew(self) -> str:
        """Take a new id in place of one that counts as dead. Raises StorageError."""
        self.worker = f"{self._machine}-{self._ids()}"
        write_text(self._slot, f"{self.worker}\n")
        return self.worker

    def release(self) -> None:
        """Let another process have the slot."""
        self._lock.release()

    def _free(self, folder: Path) -> tuple[Path, FileLock]:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise storage_error(error, folder) from error
        for number in range(_MOST):
            slot = folder / f"{self._machine}-{number}"
            lock = FileLock(f"{slot}.lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                continue
            return slot, lock
        raise AssertionError("a machine has fewer workers than that")
