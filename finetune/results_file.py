"""`results.csv`: the figures of every step, under the column names of OpenAI's result files."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from data.jsonl import write_text

RESULTS = "results.csv"
COLUMNS = {
    "step": "step",
    "train_loss": "loss",
    "train_accuracy": "accuracy",
    "valid_loss": "eval_loss",
    "valid_mean_token_accuracy": "eval_accuracy",
}
"""Name of each column, and of its figure in `training.jsonl`."""


def write_results(lines: Sequence[dict[str, Any]], path: Path) -> None:
    """Write a line for each step; what was not measured at a step is empty. Equal figures give equal bytes.

    Args:
        lines: The lines of `training.jsonl`.
        path: The file to write.
    """
    steps: dict[int, dict[str, Any]] = {}
    for line in lines:
        known = {key: value for key, value in line.items() if value is not None}
        steps[line["step"]] = steps.get(line["step"], {}) | known
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(COLUMNS)
    for step, figures in sorted(steps.items()):
        table.writerow([step, *(_shown(figures.get(name)) for name in list(COLUMNS.values())[1:])])
    write_text(path, text.getvalue())


def _shown(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.6g}"
