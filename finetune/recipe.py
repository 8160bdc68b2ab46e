"""What a config leaves open, decided from the base model and the number of rows."""

from __future__ import annotations

import math
from typing import NamedTuple

from doceo.core.config import FinetuneConfig
from doceo.providers.hf_models import Opened, bf16_in_hardware
from finetune.checks import DPO

SMALL = 20_000_000
"""Parameters below which a base is small: it needs larger steps and more of them."""
SOME, MANY = 5_000, 50_000
"""Rows from which a set is larger than a usual one, and from which it is large."""
RANK, SOME_RANK, MANY_RANK, SMALL_RANK = 16, 64, 256, 64
ALPHA = 32
RATE, SMALL_RATE = 2e-4, 2e-3
FULL = 0.1
"""Share of LoRA's learning rate that full fine-tuning wants."""
PREFERRING = 0.05
"""Share of the learning rate that preference tuning wants: 1e-6 for all weights, as TRL's own default is."""
EPOCHS, SOME_EPOCHS, MANY_EPOCHS, SMALL_EPOCHS = 3.0, 2.0, 1.0, 6.0
PREFERRING_EPOCHS, SMALL_PREFERRING_EPOCHS = 1.0, 2.0
"""Passes of preference tuning: which answer is preferred is learned soon, and then only the distance between them."""
PATIENCE = 3
LONGEST = 2048
SMALL_TOKENS, CPU_TOKENS, GPU_TOKENS = 4096, 1024, 16384
"""Most tokens, padding included, that go through a model at once: a small one, others on a CPU, others on a GPU."""
LOGITS = 2**26
"""Most logits built at once: 256 MB in float32."""
MOST_BETWEEN = 100
"""Most steps between two evaluations."""
WARMUP = 0.03
_WARMED = 10
"""Steps of the shortest training that warms up."""
RANK_FACTOR = {"fast": 0.5, "balanced": 1.0, "best": 2.0}
EPOCH_FACTOR = {"fast": 0.5, "balanced": 1.0, "best": 1.5}


class Recipe(NamedTuple):
    """Every number that training needs.

    `most_rows` is a limit on the sequences that go through the model together; `evaluations` are those of an epoch.
    A sequence is a row, or a pack of rows, `packs_a_step` of which make an optimizer step.
    """

    rank: int
    alpha: int
    learning_rate: float
    epochs: float
    batch_size: int
    max_length: int
    tokens_at_once: int
    half: bool
    checkpointing: bool
    patience: int | None
    method: str = "lora"
    packing: bool = False
    evaluations: int = 1
    most_rows: int | None = None
    packs_a_step: int = 0

    @property
    def a_step(self) -> int:
        """Sequences of one optimizer step."""
        return self.packs_a_step or self.batch_size

    def steps(self, sequences: int) -> int:
        """Return the optimizer steps of the whole training."""
        return math.ceil(math.ceil(sequences / self.a_step) * self.epochs)

    def warmup(self, sequences: int) -> float:
        """Return the share of the steps in which the rate rises; it begins at zero, which few steps cannot spare."""
        return WARMUP if self.steps(sequences) >= _WARMED else 0.0

    def evaluate_every(self, sequences: int) -> int:
        """Return the steps between evaluations: so many an epoch, oftener where epochs are long."""
        return min(math.ceil(math.ceil(sequences / self.a_step) / self.evaluations), MOST_BETWEEN)

    def rows_at_once(self, longest: int) -> int:
        """Return the sequences that go through the model together: a divisor of a step's that fits the limits."""
        fits = min(max(1, self.tokens_at_once // longest), self.most_rows or self.a_step)
        return max(n for n in range(1, self.a_step + 1) if self.a_step % n == 0 and n <= fits)

    def smaller(self, longest: int) -> Recipe | None:
        """Return the recipe with half the rows at once, then one with checkpointing; None if neither is left.

        The rows of an optimizer step stay as they are, so the training stays the same.
        """
        rows = self.rows_at_once(longest)
        if rows > 1:
            return self._replace(most_rows=math.ceil(rows / 2))
        return None if self.checkpointing else self._replace(checkpointing=True)


def recipe(config: FinetuneConfig, opened: Opened, rows: int = 0) -> Recipe:
    """Return the recipe for a base and a number of rows: the config's values, and what it leaves out.

    2e-4 is ten times the usual rate of full fine-tuning, which is what LoRA wants; a rank matters once the rows hold
    more than it can take, and a fixed alpha keeps the best rate the same at every rank (Schulman and Thinking
    Machines, LoRA Without Regret, 2025). The small bases' values were measured on models trained here.
    """
    import torch

    parameters = opened.model.num_parameters()
    small, cuda = parameters < SMALL, opened.model.device.type == "cuda"
    full, choosing = config.method == "full", config.objective == DPO
    rank = 0 if full else config.rank or round(_rank(rows, small=small) * RANK_FACTOR[config.quality])
    rate = (SMALL_RATE if small else RATE) * (FULL if full else 1) * (PREFERRING if choosing else 1)
    return Recipe(
        rank=rank,
        alpha=0 if full else config.alpha or (2 * rank if small else ALPHA),
        learning_rate=(config.learning_rate or rate) * config.learning_rate_multiplier,
        epochs=config.epochs or _epochs(rows, small=small, choosing=choosing) * EPOCH_FACTOR[config.quality],
        batch_size=config.batch_size,
        max_length=min(config.max_length or LONGEST, opened.context),
        tokens_at_once=SMALL_TOKENS if small else GPU_TOKENS if cuda else CPU_TOKENS,
        # For a small base bfloat16 is no faster on a CPU, and the copies kept for every row length take 1 GB.
        half=torch.cuda.is_bf16_supported() if cuda else bf16_in_hardware() and not small,
        checkpointing=False,
        patience=config.patience or (None if small else PATIENCE),
        method=config.method,
        packing=not choosing and (cuda if config.packing == "auto" else config.packing == "on"),
        evaluations=1 if small else 2,
    )


def _rank(rows: int, *, small: bool) -> int:
    if small:
        return SMALL_RANK
    return RANK if rows < SOME else SOME_RANK if rows < MANY else MANY_RANK


def _epochs(rows: int, *, small: bool, choosing: bool) -> float:
    if choosing:
        return SMALL_PREFERRING_EPOCHS if small else PREFERRING_EPOCHS
    if small:
        return SMALL_EPOCHS
    return EPOCHS if rows < SOME else SOME_EPOCHS if rows < MANY else MANY_EPOCHS
