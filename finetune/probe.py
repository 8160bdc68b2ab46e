"""One real step of a training, on its longest rows."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from doceo.core.config import FinetuneConfig
from doceo.providers.hf_models import Opened, quiet
from finetune.examples import Encoded
from finetune.packed import longest_sequence
from finetune.recipe import Recipe

WARM_TOKENS = 256
"""Tokens of the step that only warms up."""


def step(
    opened: Opened, rows: Sequence[Encoded], made: Recipe, config: FinetuneConfig, clock: Callable[[], float]
) -> tuple[Any, float, int]:
    """Take a short step to warm up and one on the longest rows.

    Returns the trainer, the seconds of the second step, and its tokens with padding. The base's layers are changed.
    """
    from finetune.callbacks import Clocked
    from finetune.trainer import build_trainer

    width = longest_sequence(rows, made)
    micro = made.rows_at_once(width)
    longest = [_stretched(rows, width)] * micro if made.packing else _longest(rows, micro)
    short = [_cut(row, max(8, WARM_TOKENS // micro)) for row in longest]
    timed, plain = Clocked(clock), made._replace(packing=False, packs_a_step=0)
    with quiet(), tempfile.TemporaryDirectory() as folder:
        trainer = build_trainer(
            opened,
            short + longest,
            [],
            plain,
            config,
            Path(folder),
            [timed],
            max_steps=2,
            per_device_train_batch_size=len(longest),
            gradient_accumulation_steps=1,
            train_sampling_strategy="sequential",
            save_strategy="no",
            report_to="none",
        )
        trainer.train()
    return trainer, timed.seconds[-1], len(longest) * longest_sequence(longest, plain)


def _longest(rows: Sequence[Encoded], count: int) -> list[Encoded]:
    return sorted(rows, key=lambda row: row.length)[-count:]


def _stretched(rows: Sequence[Encoded], width: int) -> Encoded:
    """Return one row of that many tokens, made of several: a pack takes as much memory."""
    ids, labels = [], []
    for row in rows:
        ids += row.input_ids
        labels += row.labels
        if len(ids) >= width:
            break
    return Encoded(ids[:width], labels[:width])


def _cut(row: Encoded, length: int) -> Encoded:
    return Encoded(row.input_ids[-length:], row.labels[-length:], row.rejected[-length:])
