"""The training loop: windows of text in, a lower loss out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import torch

from doceo.core.errors import TrainingError
from doceo.pretrain.batches import batches
from doceo.pretrain.objective import Objective
from doceo.pretrain.optimizers import Optimizers
from doceo.pretrain.recipe import Recipe
from doceo.pretrain.shards import Shards
from doceo.providers.hf_models import bf16_in_hardware

if TYPE_CHECKING:
    from transformers import PreTrainedModel


class Done(NamedTuple):
    """How far a training is: steps, tokens trained on, seconds used."""

    steps: int = 0
    tokens: int = 0
    seconds: float = 0.0


class Step(NamedTuple):
    """One optimizer step: how far it came, its loss in nats a token, its share of the run that is done, its rate."""

    reached: Done
    loss: float
    share: float
    rate: float


def computes_in_half(device: str) -> bool:
    """Return whether bfloat16 is faster there: on a GPU, and on a processor that multiplies it in hardware."""
    return device == "cuda" or bf16_in_hardware()


def run_steps(
    model: PreTrainedModel,
    objective: Objective,
    optimizers: Optimizers,
    shards: Shards,
    recipe: Recipe,
    clock: Callable[[], float],
    before: Done = Done(),  # noqa: B008 - a frozen tuple
) -> Iterator[Step]:
    """Train a model in place, from where it was, and yield after each step.

    The caller may measure and save between two steps; the time that it takes counts.

    Args:
        model: What is trained, in training mode.
        objective: Its loss.
        optimizers: What steps it.
        shards: Tokens to train on.
        recipe: How.
        clock: Seconds, read before the first step and after each one.
        before: What earlier processes have done.

    Raises:
        TrainingError: The loss is no longer a number.
    """
    done, start = _share(before, recipe), clock()
    reached = before
    for length, starts in islice(batches(len(shards), recipe), before.steps, None):
        if done >= 1.0:
            return
        rate = recipe.share(done)
        windows = torch.from_numpy(shards.windows(starts, length + 1)).to(model.device)
        loss = _accumulate(objective, windows, recipe.micro_rows(length))
        if not math.isfinite(loss):
            raise TrainingError(
                f"The loss was {loss} at step {reached.steps + 1}.",
                hint="Try a lower --learning-rate, another --seed or a smaller --depth.",
            )
        optimizers.step(rate)
        seconds = before.seconds + clock() - start
        reached = Done(reached.steps + 1, reached.tokens + length * len(starts), seconds)
        done = _share(reached, recipe)
        yield Step(reached, loss, done, rate * recipe.rate)


def _share(reached: Done, recipe: Recipe) -> float:
    return reached.steps / recipe.max_steps if recipe.max_steps else reached.seconds / recipe.seconds


def _accumulate(objective: Objective, windows: torch.Tensor, rows: int) -> float:
    """Add up the gradients of a step's windows, so many at a time, and return their mean loss."""
    total = 0.0
    for part in windows.split(rows):  # type: ignore[no-untyped-call]  # torch leaves it unannotated
        loss = objective.mean(part) * (len(part) / len(windows))
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
        total += loss.item()
    return total
