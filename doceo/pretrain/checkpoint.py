"""A training on disk: everything that its next step depends on, whole or not there."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file, load_model, save_file, save_model

from data.disk import disk_errors
from data.jsonl import write_json
from doceo.core.records import Record
from doceo.pretrain.loop import Done
from doceo.pretrain.optimizers import Optimizers

if TYPE_CHECKING:
    from transformers import PreTrainedModel

FOLDER = "checkpoints"
_MODEL, _OPTIMIZER, _STATE = "model.safetensors", "optimizer.safetensors", "state.json"
_RANDOM, _RANDOM_GPU = "random", "random_gpu"


class State(Record):
    """Where a training is. `waiting` are losses that no line of the log holds yet; `threads` of the arithmetic."""

    steps: int
    tokens: int
    seconds: float
    micro_tokens: int
    threads: int
    waiting: tuple[float, ...] = ()

    @property
    def done(self) -> Done:
        """How far it is."""
        return Done(self.steps, self.tokens, self.seconds)


def save(work: Path, model: PreTrainedModel, optimizers: Optimizers, state: State) -> None:
    """Write a checkpoint beside the one before, which goes when the new one is whole. Raises StorageError."""
    place = work / FOLDER / f"step-{state.steps:08}"
    unfinished = place.with_name(f".{place.name}.tmp")
    with disk_errors(place):
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        save_model(model, str(unfinished / _MODEL))
        save_file({**_contiguous(optimizers.state()), **_random()}, str(unfinished / _OPTIMIZER))
        write_json(unfinished / _STATE, state.model_dump())
        for file in unfinished.iterdir():
            _to_disk(file)
        shutil.rmtree(place, ignore_errors=True)
        unfinished.replace(place)
        for old in _finished(work)[:-1]:
            shutil.rmtree(old)


def last(work: Path) -> tuple[Path, State] | None:
    """Return the newest whole checkpoint and where it stands, or None."""
    found = _finished(work)
    if not found:
        return None
    return found[-1], State.model_validate(json.loads((found[-1] / _STATE).read_text(encoding="utf-8")))


def restore(checkpoint: Path, model: PreTrainedModel, optimizers: Optimizers) -> None:
    """Put weights, the optimizers' state and the random state back."""
    load_model(model, str(checkpoint / _MODEL))
    state = load_file(checkpoint / _OPTIMIZER)
    torch.set_rng_state(state.pop(_RANDOM))
    if (gpu := state.pop(_RANDOM_GPU, None)) is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state(gpu)
    optimizers.restore(state)


def remove(work: Path) -> None:
    """Remove all checkpoints of a finished training."""
    shutil.rmtree(work / FOLDER, ignore_errors=True)


def _finished(work: Path) -> list[Path]:
    return sorted((work / FOLDER).glob("step-*"))


def _contiguous(tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.contiguous() for name, tensor in tensors.items()}


def _random() -> dict[str, torch.Tensor]:
    found = {_RANDOM: torch.get_rng_state()}
    return {**found, _RANDOM_GPU: torch.cuda.get_rng_state()} if torch.cuda.is_available() else found


def _to_disk(file: Path) -> None:
    with file.open("rb+") as written:
        os.fsync(written.fileno())
