"""From what is wanted to a model in memory that can be trained, or a refusal with advice."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from doceo.core.config import PretrainConfig, TrainingConfig
from doceo.core.errors import ConfigError
from doceo.pretrain.checkpoint import State
from doceo.pretrain.estimate import Estimate, fitted, free_memory, memory, probe
from doceo.pretrain.loop import computes_in_half
from doceo.pretrain.model import check_usable, context_of, file_config, llama_config, new_model, unusable
from doceo.pretrain.objective import Objective
from doceo.pretrain.recipe import ADAM_WIDTH, Recipe, recipe
from doceo.pretrain.shards import Shards
from doceo.pretrain.training import Learner
from doceo.providers.hf_models import open_config, open_model, quiet_start

if TYPE_CHECKING:
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Wanted:
    """What is to be trained.

    Attributes:
        config: Depth, context, budget, seed.
        training: How.
        file: A `config.json` whose architecture is taken instead of a Llama of that depth.
        further: Folder or name of a model that is trained further instead.
    """

    config: PretrainConfig
    training: TrainingConfig
    file: Path | None = None
    further: str = ""


@dataclass(frozen=True)
class Started:
    """A model that is ready to be trained."""

    learner: Learner
    half: bool

    def estimate(self, shards: Shards) -> Estimate:
        """Return what training on the tokens of shards takes, from a few real steps that change nothing."""
        learner, made = self.learner, self.learner.recipe
        free = free_memory(learner.model.device.type)
        speed = probe(learner.model, learner.objective, made)
        step = sum(made.rows(length) * length for length in made.lengths) / len(made.lengths)
        tokens = made.max_steps * step if made.max_steps else speed * made.seconds
        return Estimate(
            parameters=learner.model.num_parameters(),
            tokens=round(tokens),
            passes=round(tokens / len(shards), 2),
            steps=round(tokens / step),
            tokens_per_second=round(speed, 1),
            seconds=round(tokens / speed, 1),
            memory=memory(made, learner.model, half=self.half),
            free_memory=free,
            micro_tokens=made.micro_tokens,
        )


def start(wanted: Wanted, tokenizer: PreTrainedTokenizerBase, state: State | None) -> Started:
    """Return the model, its loss and its recipe; an interrupted training's state says how much was in memory at once.

    Raises:
        TrainingError: It does not fit into memory.
        ConfigError: It is to be compiled, and there is no compiler.
        InputError: The config file describes no model that can be trained, or the tokenizer is not the model's.
        ModelNotFound, ProviderError: The model to train further cannot be opened.
    """
    quiet_start()
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    if wanted.training.compile:
        _check_compiler(device)
    config = _architecture(wanted, tokenizer)
    made = recipe(
        wanted.config,
        wanted.training,
        context=context_of(config, wanted.config.context),
        width=getattr(config.get_text_config(), "hidden_size", ADAM_WIDTH),
        new_llama=not wanted.further and config.model_type == "llama",
        further=bool(wanted.further),
    )
    shape = new_model(config, _named(wanted), device="meta")
    half = wanted.training.precision == "bf16" or (wanted.training.precision == "auto" and computes_in_half(device))
    if state is None:
        made = fitted(made, shape, half=half, free=free_memory(device))
    else:
        made = made.model_copy(update={"micro_tokens": state.micro_tokens})
    model = _model(wanted, config, made, device)
    if not wanted.further:
        tokenizer.model_max_length = made.context
    try:
        check_usable(model, len(tokenizer), _named(wanted))
        objective = Objective(model, half=half, compiled=wanted.training.compile)
    except (RuntimeError, ValueError, TypeError, IndexError) as error:
        # Its first look at the model is the first use of its layers, whose sizes may not fit one another.
        raise unusable(_named(wanted), error) from error
    return Started(Learner(model, tokenizer, objective, made), half)


def _check_compiler(device: str) -> None:
    """Raise ConfigError where torch.compile has nothing to compile with."""
    named = os.environ.get("CXX", "")
    if device == "cpu" and not any(shutil.which(name) for name in (named, "c++", "g++", "clang++", "cl") if name):
        raise ConfigError(
            "compile = true needs a C++ compiler, and there is none.", hint="Install one, such as g++, or leave it out."
        )


def _architecture(wanted: Wanted, tokenizer: PreTrainedTokenizerBase) -> PreTrainedConfig:
    if wanted.further:
        return open_config(wanted.further)
    return file_config(wanted.file, tokenizer) if wanted.file else llama_config(wanted.config, tokenizer)


def _model(wanted: Wanted, config: PreTrainedConfig, made: Recipe, device: str) -> PreTrainedModel:
    import torch
    from transformers import set_seed

    set_seed(made.seed)
    if wanted.further:
        return open_model(wanted.further, dtype=torch.float32, device=device).model
    return new_model(config, _named(wanted), device=device)


def _named(wanted: Wanted) -> str:
    return wanted.further or (str(wanted.file) if wanted.file else f"--depth {wanted.config.depth}")
