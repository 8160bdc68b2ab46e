"""The workers that a service starts for itself: they end with it, and come back when they die."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from doceo.app.jobs.variables import variables
from doceo.app.settings import Settings
from doceo.core import lease
from doceo.core.protocols import Progress

_PAUSES = (1.0, 2.0, 5.0, 15.0, 30.0)
"""Seconds before a worker that died is started again, longer each time that it dies soon."""
_SOON = 120.0
_WAIT = 180.0
"""Seconds that workers have to save their jobs at the end."""


@contextmanager
def own_workers(count: int, settings: Settings, progress: Progress) -> Iterator[None]:
    """Have so many workers during the block.

    Args:
        count: How many; 0 where workers run elsewhere.
        settings: The service's settings, which the workers get too, flags included.
        progress: Where it is said that one died.
    """
    workers = [_Kept(settings, progress) for _ in range(count)]
    try:
        yield
    finally:
        for worker in workers:
            worker.stop()
        for worker in workers:
            worker.wait()


class _Kept:
    """A worker process that is started again whenever it ends."""

    def __init__(self, settings: Settings, progress: Progress) -> None:
        self._settings, self._progress = settings, progress
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name="worker", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask the process to save its jobs and end."""
        self._over.set()
        with self._lock:
            if self._process is not None:
                with contextlib.suppress(ProcessLookupError):
                    self._process.send_signal(signal.SIGTERM)

    def wait(self) -> None:
        """Wait for its end, and end it after a while."""
        self._thread.join(_WAIT)
        with self._lock:
            if self._process is not None and self._process.poll() is None:
                self._process.kill()

    def _keep(self) -> None:
        died = 0
        while not self._over.is_set():
            began = lease.now()
            code = self._run()
            if self._over.is_set():
                return
            died = died + 1 if lease.now() - began < _SOON else 1
            pause = _PAUSES[min(died, len(_PAUSES)) - 1]
            self._progress.say(f"The worker ended with code {code}; it is started again in {pause:g} s.")
            self._over.wait(pause)

    def _run(self) -> int:
        reading, writing = os.pipe()
        try:
            with self._lock:
                if self._over.is_set():
                    return 0
                # It ends with this process, whose end closes the pipe.
                os.write(writing, lease.line(lease.FOREVER))
                own = {"PYTHONSAFEPATH": "1", lease.VARIABLE: str(reading)}
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "doceo", "worker"],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    env={**os.environ, **variables(self._settings), **own},
                    pass_fds=(reading,),
                    start_new_session=True,
                )
            return self._process.wait()
        finally:
            os.close(reading)
            os.close(writing)
