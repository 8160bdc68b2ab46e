"""Why a command ended, in a code and words that its owner can do something with."""

from __future__ import annotations

import json
from pathlib import Path

from doceo.app.jobs.child import End
from doceo.app.jobs.kind import failure_of
from doceo.core.errors import DoceoError
from doceo.core.jobs import JobError

_VMSTAT = Path("/proc/vmstat")


def reason(end: End) -> JobError:
    """Return why a command failed: what it said itself, or the last of what it wrote."""
    said = end.output.get("error")
    if isinstance(said, dict):
        return failure_of(str(said.get("code")), str(said.get("message", "")), str(said.get("hint", "")))
    lines = [line for line in end.tail.splitlines() if line.strip() and not _is_json(line)]
    told = f": {lines[-1][:300]}" if lines else ""
    how = f"by signal {-end.code}" if end.code < 0 else f"with exit code {end.code}"
    return JobError(code=DoceoError.code, message=f"The job's process ended {how}{told}.")


def oom_kills() -> int:
    """Return how many processes the kernel has ended on this machine for want of memory; 0 where it does not say."""
    try:
        lines = _VMSTAT.read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)


def killed_by_kernel(before: int) -> bool:
    """Return whether the kernel has ended a process for want of memory since it was counted last."""
    return oom_kills() > before


def _is_json(line: str) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True
