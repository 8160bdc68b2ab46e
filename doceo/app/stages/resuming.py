"""Whether an interrupted training can go on, and why not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from data import manifest as manifests
from data.store import Stage
from doceo.core.config import FinetuneConfig
from doceo.core.errors import AdapterExists, RunError
from finetune.checkpointing import last_step


def check_resumable(stage: Stage, config: FinetuneConfig) -> None:
    """Raise RunError with the reason where there is no interrupted training that this command would go on with."""
    if stage.finished:
        raise RunError(
            f"The training of {stage.folder} is finished: there is nothing to resume.",
            hint=f"Train it further, as a new adapter: doceo finetune ... --continue-from {stage.folder} --out NEW",
        )
    begun = stage.begun
    if begun is None:
        other = " It holds a finished adapter of other settings." if manifests.read(stage.folder) else ""
        raise RunError(
            f"There is no interrupted training of {stage.folder} to resume.{other}",
            hint="Leave out --resume to start one; to train an adapter further, use --continue-from.",
        )
    if stage.left_by_another:
        raise RunError(
            f"The interrupted training of {stage.folder} is another one: {_different(stage, begun, config)}.",
            hint="Give what it was started with, or start anew with --force instead of --resume.",
        )
    if not last_step(stage.work):
        raise RunError(
            f"The training of {stage.folder} was interrupted before its first checkpoint.",
            hint="Leave out --resume to start it again; a lower --save-steps makes checkpoints sooner.",
        )


def check_dropped(stage: Stage, config: FinetuneConfig) -> None:
    """Raise AdapterExists where this command would drop the checkpoints of another training that was stopped."""
    step = last_step(stage.work) if stage.left_by_another else 0
    if not step:
        return
    raise AdapterExists(
        f"Another training of {stage.folder} was stopped after step {step} and can still go on: "
        f"{_different(stage, stage.begun or {}, config)}.",
        hint="Run the command again as it was, name another --out, or drop that training with --force.",
    )


def _different(stage: Stage, begun: dict[str, Any], config: FinetuneConfig) -> str:
    """Say in what a training differs from the one that was begun in the same place."""
    if not begun:
        return "an older version of Doceo began it"
    before = type(config)().model_dump(mode="json") | begun["config"][FinetuneConfig.__name__]
    return "; ".join([*_options(before, config.model_dump(mode="json")), *_sources(begun["inputs"], stage.inputs)])


def _options(before: dict[str, object], now: dict[str, object]) -> Iterator[str]:
    for key, value in now.items():
        if before[key] != value:
            yield f"--{key.replace('_', '-')} was {_shown(before[key])}, is {_shown(value)}"


def _sources(before: dict[str, str], now: dict[str, str]) -> Iterator[str]:
    for words, prefix in (("base", "base"), ("adapter it starts from", "start/")):
        if _of(before, prefix) != _of(now, prefix):
            yield f"it had another {words}"
    if _rows(before) != _rows(now):
        yield "it had other rows"


def _of(inputs: dict[str, str], prefix: str) -> dict[str, str]:
    return {key: value for key, value in inputs.items() if key.startswith(prefix)}


def _rows(inputs: dict[str, str]) -> dict[str, str]:
    return {key: value for key, value in inputs.items() if not key.startswith(("base", "start/"))}


def _shown(value: object) -> str:
    return "left out" if value is None else str(value)
