"""What was trained after the last passes over the rows: models to choose from, with what the log says of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from doceo.core.records import Record
from finetune.log_file import LOG, log_lines

PASSES = "passes"
"""Their folder, in the folder of a training."""


class Pass(Record):
    """A model after a pass: an adapter's folder (or a whole model's), the step, and figures of the log.

    Losses are in nats a token, of pairs of answers in nats; accuracies are shares of tokens. Those of the validation
    rows are of the last evaluation up to the step; None where there was none.
    """

    folder: Path
    step: int
    loss: float | None = None
    accuracy: float | None = None
    eval_loss: float | None = None
    eval_accuracy: float | None = None


def passes(folder: Path) -> list[Pass]:
    """Return the models that a training keeps in a folder, oldest first, while it runs and afterwards."""
    found = sorted((int(path.name.split("-")[1]), path) for path in (folder / PASSES).glob("step-*"))
    lines = log_lines(folder / LOG) if found else []
    return [Pass(folder=path, step=step, **_figures(lines, step)) for step, path in found]


def _figures(lines: list[dict[str, Any]], step: int) -> dict[str, float | None]:
    """Return the figures of a step."""
    trained = next((line for line in lines if line["step"] == step and line["loss"] is not None), {})
    evaluated = [line for line in lines if line["step"] <= step and line["eval_loss"] is not None]
    last = evaluated[-1] if evaluated else {}
    return {name: trained.get(name) for name in ("loss", "accuracy")} | {
        name: last.get(name) for name in ("eval_loss", "eval_accuracy")
    }
