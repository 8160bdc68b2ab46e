"""Commands in processes of their own, to be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def start(*arguments: object, cwd: Path) -> subprocess.Popen[str]:
    """Start `doceo` with arguments."""
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "doceo", *map(str, arguments)],
        env=env,
        cwd=cwd,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def finish(*arguments: object, cwd: Path) -> str:
    """Run `doceo` to its end, which must be a good one, and return what it printed."""
    process = start(*arguments, cwd=cwd)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    return output


def kill_when(reached: Callable[[], bool], *arguments: object, cwd: Path) -> None:
    """Start a command and kill it with SIGKILL as soon as something is reached; it must not have ended before."""
    process = start(*arguments, cwd=cwd)
    until = time.monotonic() + 120
    while not reached() and process.poll() is None and time.monotonic() < until:
        time.sleep(0.005)
    assert process.poll() is None, process.communicate()[0]
    process.send_signal(signal.SIGKILL)
    process.wait()
    if process.stdout:
        process.stdout.close()
