"""What a training will take, from one real step: minutes, and memory at its peak."""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import psutil

from doceo.core.config import FinetuneConfig
from doceo.core.errors import TrainingError
from doceo.core.records import Record
from doceo.providers.hf_models import Opened, bf16_in_hardware, quiet
from finetune.base import open_base
from finetune.checks import load_rows
from finetune.examples import Encoded, encode_rows
from finetune.recipe import Recipe, recipe

WARM_TOKENS = 256
"""Tokens of the step that only warms up."""
MARGIN = 1.15
"""Factor on the measured peak: the allocator keeps some of what it frees."""


class Estimate(Record):
    """What a training will take on this machine. `peak_bytes` is of the whole process, or of the GPU."""

    seconds: float
    peak_bytes: int
    parameters: int
    trainable: int
    steps: int
    tokens: int

    def __str__(self) -> str:
        """Return minutes and memory in words, such as "about 48 min on this machine, 3.1 GB"."""
        if self.seconds < 90:
            took = f"{self.seconds:.0f} s"
        else:
            took = f"{self.seconds / 60:.0f} min" if self.seconds < 5400 else f"{self.seconds / 3600:.1f} h"
        return f"about {took} on this machine, {self.peak_bytes / 1e9:.1f} GB"


def estimate(
    base: str, config: FinetuneConfig, train_rows: Path, *, clock: Callable[[], float] = time.perf_counter
) -> Estimate:
    """Open the base, take one step on the longest rows, and work out what the whole training takes.

    Args:
        base: Folder or hub name.
        config: The config of the training to come.
        train_rows: Its rows.
        clock: Seconds.

    Raises:
        TrainingError: The training does not fit into memory, or no row is left to train on.
        InputError, ModelNotFound, ProviderError: As `finetune.lora.finetune`.
    """
    _weights_fit(base)
    checked = load_rows(train_rows)
    opened = open_base(base)
    made = recipe(config, opened)
    rows = encode_rows(opened.tokenizer, checked.rows, made.max_length).rows
    if not rows:
        raise TrainingError(
            f"All {len(checked.rows)} rows of {train_rows} are longer than {made.max_length} tokens.",
            hint="Use shorter passages, or a base that reads more.",
        )
    probed = _probe(opened, rows, made, config, clock)
    tokens = round(sum(len(row.input_ids) for row in rows) * made.epochs)
    result = Estimate(
        seconds=round(probed.seconds_per_token * tokens, 3),
        peak_bytes=_peak(opened.model.device.type),
        parameters=probed.parameters,
        trainable=probed.trainable,
        steps=made.steps(len(rows)),
        tokens=tokens,
    )
    _peak_fits(result, base, opened.model.device.type)
    return result


class _Probed(NamedTuple):
    trainable: int
    parameters: int
    seconds_per_token: float


def _probe(
    opened: Opened, rows: list[Encoded], made: Recipe, config: FinetuneConfig, clock: Callable[[], float]
) -> _Probed:
    """Take a short step to warm up and a step on the longest rows, and time the second one."""
    from finetune.callbacks import Clocked
    from finetune.trainer import build_trainer

    ordered = sorted(rows, key=lambda row: len(row.input_ids))
    micro = made.rows_at_once(len(ordered[-1].input_ids))
    longest = ordered[-micro:]
    short = [_cut(row, max(8, WARM_TOKENS // micro)) for row in longest]
    timed = Clocked(clock)
    with quiet(), tempfile.TemporaryDirectory() as folder:
        trainer = build_trainer(
            opened,
            short + longest,
            [],
            made,
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
    padded = len(longest) * len(longest[-1].input_ids)
    trainable, parameters = trainer.model.get_nb_trainable_parameters()
    return _Probed(trainable, parameters, timed.seconds[-1] / padded)


def _cut(row: Encoded, length: int) -> Encoded:
    return Encoded(row.input_ids[-length:], row.labels[-length:])


def _weights_fit(base: str) -> None:
    """Refuse before anything is loaded where the weights alone are larger than the memory that is free."""
    folder = Path(base)
    size = sum(file.stat().st_size for file in folder.glob("*.safetensors")) if folder.is_dir() else 0
    if not size:
        return
    try:
        stored = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        half = "16" in str(stored.get("dtype") or stored.get("torch_dtype"))
    except (OSError, json.JSONDecodeError):
        half = False
    import torch

    cuda = torch.cuda.is_available()
    free = torch.cuda.mem_get_info()[0] if cuda else psutil.virtual_memory().available
    needed = size * 2 if half and not (cuda or bf16_in_hardware()) else size
    if needed > free:
        raise TrainingError(
            f"The weights of {base} need {needed / 1e9:.1f} GB and {free / 1e9:.1f} GB are free.",
            hint="Choose a smaller base, or a machine with more memory; `doctor` lists what fits.",
        )


def _peak(device: str) -> int:
    import torch

    if device == "cuda":
        return int(torch.cuda.max_memory_allocated() * MARGIN)
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset * MARGIN)
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return int(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit * MARGIN)


def _peak_fits(result: Estimate, base: str, device: str) -> None:
    import torch

    total = torch.cuda.mem_get_info()[1] if device == "cuda" else psutil.virtual_memory().total
    if result.peak_bytes > total:
        raise TrainingError(
            f"Training {base} would need {result.peak_bytes / 1e9:.1f} GB of {total / 1e9:.1f} GB.",
            hint="Lower --batch-size or --max-length, or choose a smaller base.",
        )
