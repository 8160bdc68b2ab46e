"""The page that shows a run, or a loop of runs."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from data.jsonl import read_json
from data.store import Run
from doceo.core.errors import InputError
from doceo.core.loop import FILE as LOOP
from doceo.core.loop import LoopRecord
from evaluation.loop_report import write_loop_report
from evaluation.report import write_report

PAGE = "report.html"


def make_report(run: Run) -> Path:
    """Write `report.html` from whatever stages a run has, or from what a loop has come to.

    Raises:
        InputError: a file of a finished stage, or `loop.json`, is damaged.
        StorageError: the page cannot be written.
    """
    if (run.path / LOOP).is_file():
        return write_loop_report(_loop(run.path / LOOP), run.path / PAGE, title=run.name)
    return write_report(run, run.path / PAGE)


def _loop(path: Path) -> LoopRecord:
    try:
        return LoopRecord.model_validate(read_json(path))
    except ValidationError as error:
        raise InputError(
            f"{path}: {error.errors()[0]['msg']}.", hint="The file was changed; the same `doceo loop` writes it anew."
        ) from error
