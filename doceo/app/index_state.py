"""What tells whether who answers over an index answers from the documents as they are now."""

from __future__ import annotations

from pathlib import Path

from doceo.core.errors import IndexUnusable
from rag import versions
from rag.calibration import FILE as CALIBRATION


def state_of(index: Path | None) -> str:
    """Return what an answerer over an index has to be opened again for: its version and when it was calibrated.

    Empty without documents. Raises IndexUnusable.
    """
    version = versions.current(index) if index is not None else None
    if index is None or version is None:
        return ""
    try:
        calibrated = str((index / CALIBRATION).stat().st_mtime_ns)
    except OSError:  # it is none, or was taken away just now
        calibrated = ""
    return f"{version.name} {calibrated}"


def current(index: Path | None, state: str) -> bool:
    """Return whether an index is still in a state; a damaged one is in none."""
    try:
        return state_of(index) == state
    except IndexUnusable:
        return False
