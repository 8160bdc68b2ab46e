"""What a training will take: memory worked out and then measured by one real step, and from that step the minutes."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from doceo.core.config import FinetuneConfig
from doceo.core.errors import OutOfMemory
from doceo.core.records import Record
from doceo.providers.free_memory import free_memory
from doceo.providers.hf_models import Opened, bf16_in_hardware
from finetune.base import open_base
from finetune.checks import load_rows
from finetune.examples import Encoded
from finetune.failures import out_of_memory
from finetune.finetuned import Memory
from finetune.method import FULL, QLORA
from finetune.need import need
from finetune.packed import longest_sequence, settle
from finetune.peak import Peak
from finetune.preflight import prepare
from finetune.probe import step
from finetune.recipe import Recipe, recipe

MARGIN = 1.15
"""Factor on the measured peak: the allocator keeps some of what it frees."""


class Estimate(Record):
    """What a training will take on this machine, and the rows at once with which it fits.

    Bytes are of the whole process, or of the GPU: `predicted_bytes` worked out, `peak_bytes` measured by one step.
    """

    seconds: float
    peak_bytes: int
    predicted_bytes: int
    free_bytes: int
    parameters: int
    trainable: int
    steps: int
    tokens: int
    rows_at_once: int
    checkpointing: bool

    def applied(self, made: Recipe) -> Recipe:
        """Return a recipe with the rows at once that fit."""
        return made._replace(most_rows=self.rows_at_once, checkpointing=self.checkpointing)

    def memory(self, measured: int) -> Memory:
        """Return what was predicted and measured, for the record."""
        return Memory(predicted=self.predicted_bytes, probed=self.peak_bytes, measured=measured)

    def __str__(self) -> str:
        """Return minutes and memory in words, such as "about 48 min on this machine, 3.1 GB"."""
        if self.seconds < 90:
            took = f"{self.seconds:.0f} s"
        else:
            took = f"{self.seconds / 60:.0f} min" if self.seconds < 5400 else f"{self.seconds / 3600:.1f} h"
        return f"about {took} on this machine, {self.peak_bytes / 1e9:.1f} GB"


def estimate(
    base: str,
    config: FinetuneConfig,
    train_rows: Path,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> Estimate:
    """Open the base and return what a training on a file of rows will take.

    Raises:
        OutOfMemory: The training does not fit into memory.
        TrainingError: No row is left to train on.
        InputError, ModelNotFound, ProviderError: As `finetune.lora.finetune`.
    """
    weights_fit(base, config)
    checked = load_rows(train_rows, objective=config.objective)
    opened = open_base(base, config.method)
    made = recipe(config, opened, len(checked.rows))
    rows = prepare(opened.tokenizer, checked.named(train_rows), checked, made.max_length).train.rows
    return fit(base, opened, rows, made, config, clock=clock)


def fit(
    base: str,
    opened: Opened,
    rows: Sequence[Encoded],
    made: Recipe,
    config: FinetuneConfig,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> Estimate:
    """Choose the rows at once that should fit, take one step on the longest rows, and see.

    Where the step takes more than there is, it is tried with fewer rows, and last with activations computed anew.
    The base that is given has been trained for a step afterwards: open it anew.

    Args:
        base: Folder or hub name.
        opened: The base.
        rows: The rows to train on, at least one.
        made: The recipe of the training to come.
        config: Its config.
        clock: Seconds.

    Raises OutOfMemory where the training does not fit into memory.
    """
    made, sequences = settle(rows, made)
    longest = longest_sequence(rows, made)
    limit = round(config.max_memory * 1e9) if config.max_memory else free_memory(opened.model.device.type)
    made = _predicted_to_fit(base, opened, made, longest, limit)
    wanted = need(opened, made, longest).total
    while (probed := _probed(opened, rows, made, config, limit, clock)) is None:
        made = _next(base, made, longest, limit)
        opened = open_base(base, config.method)
        wanted = need(opened, made, longest).total
    tokens = round(sum(row.tokens for row in rows) * made.epochs)
    return Estimate(
        seconds=round(probed.seconds_per_token * tokens, 3),
        peak_bytes=probed.peak_bytes,
        predicted_bytes=probed.start_bytes + wanted,
        free_bytes=limit,
        parameters=probed.parameters,
        trainable=probed.trainable,
        steps=made.steps(sequences),
        tokens=tokens,
        rows_at_once=made.rows_at_once(longest),
        checkpointing=made.checkpointing,
    )


def _predicted_to_fit(base: str, opened: Opened, made: Recipe, longest: int, limit: int) -> Recipe:
    """Return the recipe with as many rows at once as should fit. Raises OutOfMemory."""
    while need(opened, made, longest).total > limit:
        made = _next(base, made, longest, limit)
    return made


def _next(base: str, made: Recipe, longest: int, limit: int) -> Recipe:
    smaller = made.smaller(longest)
    if smaller is None:
        fewer = "" if made.method == QLORA else "--method qlora, "
        raise OutOfMemory(
            f"Training {base} on rows of {longest} tokens does not fit into {limit / 1e9:.1f} GB, one row at a time "
            "and with activations computed anew.",
            hint=f"Lower --finetune-max-length or --rank, take {fewer}or choose a smaller base.",
        )
    return smaller


class _Probe(NamedTuple):
    trainable: int
    parameters: int
    seconds_per_token: float
    start_bytes: int
    peak_bytes: int


def _probed(
    opened: Opened,
    rows: Sequence[Encoded],
    made: Recipe,
    config: FinetuneConfig,
    limit: int,
    clock: Callable[[], float],
) -> _Probe | None:
    """Take a short step to warm up and a step on the longest rows; None where that is more than the memory allows."""
    with Peak(opened.model.device.type) as peak:
        try:
            trainer, seconds, tokens = step(opened, rows, made, config, clock)
        except (RuntimeError, MemoryError) as error:
            if not out_of_memory(error):
                raise
            return None
    most = round(peak.start + (peak.most - peak.start) * MARGIN)
    if most - peak.start > limit:
        return None
    counted = trainer.model.num_parameters()
    trainable, parameters = (counted, counted) if made.method == FULL else trainer.model.get_nb_trainable_parameters()
    return _Probe(trainable, parameters, seconds / tokens, peak.start, most)


def weights_fit(base: str, config: FinetuneConfig) -> None:
    """Raise OutOfMemory, before anything is loaded, where the weights alone are larger than the memory free."""
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
    there = free_memory("cuda" if cuda else "cpu")
    widened = half and (config.method == FULL or not (cuda or bf16_in_hardware()))
    needed = size * 2 if widened else size // (2 if half else 4) if config.method == QLORA else size
    if needed > there:
        raise OutOfMemory(
            f"The weights of {base} need {needed / 1e9:.1f} GB and {there / 1e9:.1f} GB are free.",
            hint="Choose a smaller base, or a machine with more memory; `doctor` lists what fits.",
        )
