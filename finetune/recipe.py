"""What a config leaves open, decided from the base model and the number of rows."""

from __future__ import annotations

import math
from typing import NamedTuple

from doceo.core.config import FinetuneConfig
from doceo.providers.hf_models import Opened, bf16_in_hardware

SMALL = 20_000_000
"""Parameters below which a base is small: it needs larger steps and more of them."""
RANK, SMALL_RANK = 16, 64
RATE, SMALL_RATE = 2e-4, 2e-3
EPOCHS, SMALL_EPOCHS = 3.0, 8.0
PATIENCE = 3
LONGEST = 2048
SMALL_TOKENS, CPU_TOKENS, GPU_TOKENS = 4096, 1024, 16384
"""Most tokens, padding included, that go through a model at once: a small one, others on a CPU, others on a GPU."""
LARGE = 2_000_000_000
"""Parameters from which activations are recomputed rather than kept (gradient checkpointing)."""
MOST_BETWEEN = 100
"""Most steps between two evaluations."""


class Recipe(NamedTuple):
    """Every number that training needs."""

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

    def steps(self, rows: int) -> int:
        """Return the optimizer steps of the whole training."""
        return math.ceil(math.ceil(rows / self.batch_size) * self.epochs)

    def evaluate_every(self, rows: int) -> int:
        """Return the steps between evaluations: once an epoch, oftener where epochs are long."""
        return min(math.ceil(rows / self.batch_size), MOST_BETWEEN)

    def rows_at_once(self, longest: int) -> int:
        """Return the rows that go through the model together: a divisor of the batch size that fits the limit."""
        fits = max(1, self.tokens_at_once // longest)
        return max(n for n in range(1, self.batch_size + 1) if self.batch_size % n == 0 and n <= fits)


def recipe(config: FinetuneConfig, opened: Opened) -> Recipe:
    """Return the recipe for a base: the config's values, and for those left out what its size asks for.

    2e-4 is ten times the usual rate of full fine-tuning, which is what LoRA wants (Schulman, LoRA Without Regret,
    2025); the small bases' values were measured on models trained here.
    """
    import torch

    parameters = opened.model.num_parameters()
    small, cuda = parameters < SMALL, opened.model.device.type == "cuda"
    rank = config.rank or (SMALL_RANK if small else RANK)
    return Recipe(
        rank=rank,
        alpha=config.alpha or 2 * rank,
        learning_rate=config.learning_rate or (SMALL_RATE if small else RATE),
        epochs=config.epochs or (SMALL_EPOCHS if small else EPOCHS),
        batch_size=config.batch_size,
        max_length=min(config.max_length or LONGEST, opened.context),
        tokens_at_once=SMALL_TOKENS if small else GPU_TOKENS if cuda else CPU_TOKENS,
        # For a small base bfloat16 is no faster on a CPU, and the copies kept for every row length take 1 GB.
        half=torch.cuda.is_bf16_supported() if cuda else bf16_in_hardware() and not small,
        checkpointing=parameters >= LARGE,
        patience=config.patience or (None if small else PATIENCE),
    )
