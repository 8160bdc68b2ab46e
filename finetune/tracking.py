"""Trackers that a training reports to, by name: nothing is reported where none is named."""

from __future__ import annotations

import os
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from doceo.core.config import FinetuneConfig
from doceo.core.errors import MissingExtra

OFFLINE = "-offline"


def prepare_tracker(config: FinetuneConfig, work: Path) -> None:
    """Make the named tracker ready; TensorBoard's events go to `work/tensorboard`, W&B's files to `work/wandb`.

    Raises MissingExtra.
    """
    name = report_to(config)
    if name == "none":
        return
    if find_spec(name) is None:
        raise MissingExtra(name, extra="trackers", purpose=f"--tracker {config.tracker}")
    if name == "tensorboard":
        # The trainer's own default lies among the checkpoints, which go at the end.
        os.environ["TENSORBOARD_LOGGING_DIR"] = str(work / "tensorboard")
    if name == "wandb":
        os.environ.setdefault("WANDB_SILENT", "true")
        os.environ.setdefault("WANDB_PROJECT", "doceo")
        if config.tracker.endswith(OFFLINE):
            os.environ["WANDB_MODE"] = "offline"
            os.environ["WANDB_DIR"] = str(work)
            work.mkdir(parents=True, exist_ok=True)


def finish_tracker(config: FinetuneConfig) -> None:
    """Close what W&B has open, so that all of it is on disk or sent; the others are closed by the trainer."""
    if report_to(config) == "wandb":
        import_module("wandb").finish()


def report_to(config: FinetuneConfig) -> str:
    """Return the tracker by the trainer's name for it."""
    return config.tracker.removesuffix(OFFLINE)
