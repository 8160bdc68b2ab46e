"""Trackers that a training reports to, by name: nothing is reported where none is named."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from doceo.core.config import FinetuneConfig
from doceo.core.errors import MissingExtra


def prepare_tracker(config: FinetuneConfig, work: Path) -> None:
    """Make the named tracker ready; TensorBoard's events go to `work/tensorboard`. Raises MissingExtra."""
    if config.tracker == "none":
        return
    if find_spec(config.tracker) is None:
        raise MissingExtra(config.tracker, extra="trackers", purpose=f"--tracker {config.tracker}")
    if config.tracker == "tensorboard":
        # The trainer's own default lies among the checkpoints, which go at the end.
        os.environ["TENSORBOARD_LOGGING_DIR"] = str(work / "tensorboard")
