"""How a model is stepped: everything that the weights depend on beside text, shape and the machine's arithmetic."""

from __future__ import annotations

import math
from typing import Literal

from doceo.core.config import PretrainConfig, TrainingConfig
from doceo.core.records import Record

MATRIX_RATE, EMBEDDING_RATE = 0.01, 0.006
"""Peak learning rates of Muon and of AdamW beside it. Muon's updates have one size whatever the width, so they fit
every depth."""
ADAM_RATE, ADAM_WIDTH, FURTHER_RATE = 0.003, 256, 1e-4
LONG_EVERY = 4
"""Each so many steps the windows are as long as the context, so that every position is trained."""
MICRO = 2048
"""Tokens in memory at once: more gain nothing on a CPU, fewer lose a tenth of its speed."""


class Recipe(Record):
    """How steps are taken.

    `rate` is of Muon's matrices, `other_rate` of all that AdamW trains. `lengths` are the windows' lengths in turn, in
    tokens; `micro_tokens` of the `batch_tokens` of a step are in memory at once. `seconds` counts where there are no
    `max_steps`.
    """

    optimizer: Literal["muon", "adamw"]
    rate: float
    other_rate: float
    warmup: float
    least: float
    weight_decay: float
    clip: float
    lengths: tuple[int, ...]
    batch_tokens: int
    micro_tokens: int
    max_steps: int | None
    seconds: float
    seed: int

    @property
    def context(self) -> int:
        """The longest window."""
        return max(self.lengths)

    def rows(self, length: int) -> int:
        """Return the windows of a step."""
        return max(1, self.batch_tokens // length)

    def micro_rows(self, length: int) -> int:
        """Return the windows that are in memory at once."""
        return max(1, self.micro_tokens // length)

    def share(self, done: float) -> float:
        """Return the share of the peak learning rate at a point of the run, 0 to 1; it rises and falls as a cosine."""
        # The first step is taken at a tenth of the peak, not at nothing.
        rising = 1.0 if self.warmup <= 0 else 0.1 + 0.9 * done / self.warmup
        left = (1.0 - done) / (1.0 - self.warmup)
        cosine = self.least + (1.0 - self.least) * 0.5 * (1.0 - math.cos(math.pi * min(1.0, max(0.0, left))))
        return max(min(self.least, 0.01), min(rising, cosine))


def recipe(
    config: PretrainConfig, training: TrainingConfig, *, context: int, width: int, new_llama: bool, further: bool
) -> Recipe:
    """Return how `doceo pretrain` trains.

    Args:
        config: Budget, tokens of a step, seed.
        training: The rest.
        context: Tokens that the model is trained to read.
        width: Of the model, which AdamW's rate depends on.
        new_llama: A Llama from nothing, for which Muon's rates were measured.
        further: A model that is trained already.
    """
    optimizer = training.optimizer or ("muon" if new_llama else "adamw")
    adam = FURTHER_RATE if further else ADAM_RATE * min(1.0, ADAM_WIDTH / width)
    rate = training.learning_rate or (MATRIX_RATE if optimizer == "muon" else adam)
    if optimizer == "muon" and further and training.learning_rate is None:
        rate = MATRIX_RATE / 10
    other = rate * EMBEDDING_RATE / MATRIX_RATE if optimizer == "muon" else rate
    return Recipe(
        optimizer=optimizer,
        rate=rate,
        other_rate=other,
        warmup=training.warmup,
        least=training.least_rate,
        weight_decay=training.weight_decay,
        clip=training.clip,
        lengths=_lengths(training.window, context),
        batch_tokens=config.batch_tokens,
        micro_tokens=training.micro_tokens or MICRO,
        max_steps=config.max_steps,
        seconds=config.seconds,
        seed=config.seed,
    )


def _lengths(short: int, context: int) -> tuple[int, ...]:
    return (*[min(short, context)] * (LONG_EVERY - 1), context)
