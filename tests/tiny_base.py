"""Trainings of a moment, by the way that every base model takes: `doceo.app.pretraining`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest.mock import patch

from doceo.app.pretraining import Outcome, Plan, pretrain_text
from doceo.app.settings import load_settings
from doceo.core.progress import Silent
from doceo.core.protocols import Progress

UNMEASURED = {"evaluations": 1, "eval_tokens": 64, "sample_tokens": 0}


def train(
    plan: Plan, flags: dict[str, dict[str, Any]], progress: Progress | None = None, *, curve: bool = False
) -> Outcome:
    """Train a model; to draw its curve takes longer than to train it and is left out unless it is asked for."""
    with nullcontext() if curve else patch("doceo.pretrain.saving.draw_curve"):
        return pretrain_text(plan, load_settings(flags), progress or Silent())


def make_base(texts: Sequence[str], folder: Path, **config: Any) -> Outcome:
    """Train a Llama on texts, whose file and shards come to lie beside its folder.

    Args:
        texts: Documents.
        folder: The folder to write.
        config: Fields of `PretrainConfig`.
    """
    rows = folder.with_name(f"{folder.name}.jsonl")
    rows.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), encoding="utf-8")
    return train(Plan((str(rows),), folder), {"pretrain": config, "training": UNMEASURED})
