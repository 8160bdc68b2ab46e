"""What a training will take: memory worked out from the shape, speed from a few real steps."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import psutil
import torch

from doceo.core.errors import TrainingError
from doceo.core.records import Record
from doceo.pretrain.objective import CHUNK, Objective
from doceo.pretrain.optimizers import Optimizers, matrix_size
from doceo.pretrain.presets import PRESETS
from doceo.pretrain.recipe import Recipe
from doceo.providers.free_memory import free_memory as still_free

if TYPE_CHECKING:
    from transformers import PreTrainedModel

PROCESS = 650e6
"""Bytes of a process that has torch, transformers and matplotlib loaded."""
ACTIVATION, SCORES = 80, 2
"""Bytes that a layer keeps for a token: so many for each of its width, and for each head and position in sight.
Fitted to the peaks of Llamas of 5M and 30M and a GPT-2 of 14M parameters, which it overrates by 3 to 11 %."""
WHOLE_LOGITS = 14
"""Bytes for each token and entry of the vocabulary where logits are held whole: bfloat16, float32, and gradients."""


BYTES_EACH = 24
"""Bytes of memory for each parameter of a preset, about; for advice only."""
REPEATS, SLOW = 2, 5.0
"""Steps of each window length that are timed, after one that warms up; one that takes longer (seconds) is enough."""


class Estimate(Record):
    """What a training will take on this machine. `tokens` are trained on, `passes` over the text that there is.

    `memory` is the peak of the process, or of the GPU, in bytes.
    """

    parameters: int
    tokens: int
    passes: float
    steps: int
    tokens_per_second: float
    seconds: float
    memory: int
    free_memory: int
    micro_tokens: int

    def __str__(self) -> str:
        """Return the estimate in words."""
        minutes = self.seconds / 60
        took = f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.1f} h"
        if minutes < 2:
            took = f"{self.seconds:.0f} s"
        return (
            f"{self.parameters / 1e6:.2f}M parameters; {self.tokens:,} tokens in {self.steps:,} steps, "
            f"{self.passes:.2f} times the text; about {took} at {self.tokens_per_second:,.0f} tokens/s; "
            f"{self.memory / 1e9:.1f} GB of memory, {self.free_memory / 1e9:.1f} GB free"
        )


def fitted(recipe: Recipe, shape: PreTrainedModel, *, half: bool, free: int) -> Recipe:
    """Return the recipe with as few tokens in memory at once as it takes to fit; a step's tokens stay.

    Args:
        recipe: How training is meant to go.
        shape: The model, without weights (on the `meta` device) or with.
        half: Whether it computes in bfloat16.
        free: Bytes that may be used.

    Raises:
        TrainingError: It does not fit even one window at a time.
    """
    while (needed := memory(recipe, shape, half=half)) > free:
        if recipe.micro_tokens <= recipe.context:
            parameters = shape.num_parameters()
            raise TrainingError(
                f"Training {parameters / 1e6:.0f}M parameters needs about {needed / 1e9:.1f} GB of memory; "
                f"{free / 1e9:.1f} GB are free.",
                hint=_advice(recipe, parameters, free),
            )
        recipe = recipe.model_copy(update={"micro_tokens": max(recipe.context, recipe.micro_tokens // 2)})
    return recipe


def memory(recipe: Recipe, shape: PreTrainedModel, *, half: bool) -> int:
    """Return the bytes that training takes at its peak: weights, gradients, optimizer, activations, and the process."""
    config = shape.config.get_text_config()
    parameters = shape.num_parameters()
    moments = 8 * parameters - (4 * matrix_size(shape) if recipe.optimizer == "muon" else 0)
    weights = 8 * parameters + (2 * parameters if half else 0)
    at_once = max(length * min(recipe.rows(length), recipe.micro_rows(length)) for length in set(recipe.lengths))
    seen = recipe.context if half and recipe.context <= 1024 else 0
    # Some architectures have no attention.
    width, heads = config.hidden_size, getattr(config, "num_attention_heads", 0)
    for_token = config.num_hidden_layers * (ACTIVATION * width * (1 if half else 1.6) + SCORES * heads * seen)
    head = 4 * width * config.vocab_size + (CHUNK if shape.config.model_type == "llama" else at_once) * (
        WHOLE_LOGITS * config.vocab_size
    )
    process = 0 if torch.cuda.is_available() else PROCESS
    return int(weights + moments + at_once * for_token + head + process)


def free_memory(device: str) -> int:
    """Return the bytes that this process may use in all: of the GPU, or of the machine or the container it runs in."""
    # What the process has in memory already counts in what it needs.
    return still_free(device) + (0 if device == "cuda" else int(psutil.Process().memory_info().rss))


def probe(
    model: PreTrainedModel,
    objective: Objective,
    recipe: Recipe,
    clock: Callable[[], float] = time.perf_counter,
) -> float:
    """Return tokens a second, from a few real steps at a learning rate of 0, which leave every weight as it is."""
    optimizers = Optimizers(model, recipe.model_copy(update={"rate": 0.0, "other_rate": 0.0}))
    vocabulary = model.config.get_text_config().vocab_size
    seconds, stepping = 0.0, 0.0
    with torch.random.fork_rng():
        for length in sorted(set(recipe.lengths)):
            rows = min(recipe.rows(length), recipe.micro_rows(length))
            windows = torch.randint(vocabulary, (rows, length + 1)).to(model.device)
            passing, stepping = _timed(objective, optimizers, windows, clock)
            seconds += recipe.lengths.count(length) * passing * recipe.rows(length) / rows
    cycle = sum(recipe.rows(length) * length for length in recipe.lengths)
    return cycle / (seconds + stepping * len(recipe.lengths))


def _timed(
    objective: Objective, optimizers: Optimizers, windows: torch.Tensor, clock: Callable[[], float]
) -> tuple[float, float]:
    """Return the seconds of a forward and backward pass and of an optimizer step."""
    times = []
    for _ in range(1 + REPEATS):
        start = clock()
        objective.mean(windows).backward()  # type: ignore[no-untyped-call]  # torch leaves it unannotated
        if windows.is_cuda:
            torch.cuda.synchronize()
        between = clock()
        optimizers.step(1.0)
        if windows.is_cuda:
            torch.cuda.synchronize()
        times.append((between - start, clock() - between))
        if sum(times[0]) > SLOW:
            break
    return tuple(float(np.median([part[n] for part in times[1:] or times])) for n in (0, 1))  # type: ignore[return-value]


def _advice(recipe: Recipe, parameters: int, free: int) -> str:
    fit = min(parameters, (free - 1.5 * PROCESS) / BYTES_EACH)
    smaller = [name for name, preset in PRESETS.items() if preset.parameters < fit]
    advice = f"--preset {smaller[-1]} would fit" if smaller else "Free some memory"
    return f"{advice}; a smaller --depth or --context needs less" + (
        "." if recipe.optimizer == "muon" else ", and so does --optimizer muon."
    )
