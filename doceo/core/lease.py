"""The lease of a process that works for another one: it ends when that one does, or falls silent.

The holder writes its clock into a pipe now and then. Nothing in the pipe for too long, or its end, kills the process
and all that it has started; right before a result is put in its place, `check` makes sure that the lease still holds.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import threading
import time
from typing import NoReturn

VARIABLE = "DOCEO_LEASE_FD"
"""Environment variable with the number of the pipe's reading end."""
SECONDS = 30.0
"""How long a lease holds after the time that its holder wrote."""
FOREVER = float("inf")
"""What a holder writes that is to end the process only by its own end."""
_PR_SET_PDEATHSIG = 1

_until: float | None = None


def now() -> float:
    """Return seconds on a clock that all processes of a machine share and that goes on while it sleeps."""
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic() if clock is None else time.clock_gettime(clock)


def line(at: float) -> bytes:
    """Return what a holder writes into the pipe."""
    return f"{at!r}\n".encode()


def watch() -> None:
    """Keep to the lease that the environment names, if it names one; the variable goes with it."""
    named = os.environ.pop(VARIABLE, "")
    if not named.isdecimal():
        return
    global _until
    _until = now() + SECONDS
    if sys.platform == "linux":
        # Even where no thread of Python can run just then, the process goes with its parent.
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    threading.Thread(target=_keep, args=(int(named),), name="lease", daemon=True).start()


def check() -> None:
    """Return where the lease holds, or there is none; else end the process at once: its work is another's now."""
    if _until is not None and now() > _until:
        _end()


def _keep(pipe: int) -> None:
    global _until
    rest = b""
    while True:
        ready, _, _ = select.select([pipe], [], [], 1.0)
        if ready:
            read = os.read(pipe, 4096)
            if not read:
                _end()
            *lines, rest = (rest + read).split(b"\n")
            if lines:
                _until = float(lines[-1]) + SECONDS
        check()


def _end() -> NoReturn:
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
    os._exit(137)
