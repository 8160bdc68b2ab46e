"""A worker in a process of its own, for the jobs of a service that runs in the test."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def start_worker(folder: Path, database: str, *, largest_file: int = 0) -> subprocess.Popen[bytes]:
    """Start `doceo worker` in a folder whose `runs` is the service's home; what it says goes to `worker.log`.

    A larger file than `largest_file` cannot be written, as on a full disk.
    """
    env = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
        "DOCEO_DATABASE_URL": database,
    }

    def limit() -> None:
        if largest_file:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))

    with (folder / "worker.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "doceo", "worker"], cwd=folder, env=env, stdout=log, stderr=log, preexec_fn=limit
        )


@contextmanager
def working(folder: Path, database: str, *, largest_file: int = 0) -> Iterator[subprocess.Popen[bytes]]:
    """Have a worker during the block."""
    worker = start_worker(folder, database, largest_file=largest_file)
    try:
        yield worker
    finally:
        if worker.poll() is None:
            worker.send_signal(signal.SIGTERM)
            try:
                worker.wait(30)
            finally:
                worker.kill()
                worker.wait()


def until(ask: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Return what is asked for once it is there. Fails where it does not come."""
    end = time.monotonic() + seconds
    while not (found := ask()):
        assert time.monotonic() < end, f"nothing came of it in {seconds} s"
        time.sleep(0.1)
    return found
