"""The page that shows a run."""

from __future__ import annotations

from pathlib import Path

from data.store import Run
from evaluation.report import write_report


def make_report(run: Run) -> Path:
    """Write `report.html` from whatever stages the run has."""
    return write_report(run, run.path / "report.html")
