"""Whether an interrupted training can go on, and why not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from data import manifest as manifests
from data.jsonl import write_json
from data.store import Stage
from doceo.core.config import FinetuneConfig
from doceo.core.errors import AdapterExists, RunError
from finetune.checkpointing import last_step

ASKED = ".asked.json"
"""What an unfinished training was asked for, in its work folder."""


def note_asked(work: Path, config: FinetuneConfig, inputs: dict[str, str]) -> None:
    """Write down what a training is asked for, so that a later command can say what differs."""
    write_json(work / ASKED, {"config": config.model_dump(mode="json"), "inputs": inputs})


def check_resumable(stage: Stage, config: FinetuneConfig, inputs: dict[str, str]) -> None:
    """Raise RunError with the reason where there is no interrupted training that this command would go on with."""
    if stage.finished:
        raise RunError(
            f"The training of {stage.folder} is finished: there is nothing to resume.",
            hint=f"Train it further, as a new adapter: doceo finetune ... --continue-from {stage.folder} --out NEW",
        )
    work = stage.work
    asked = work / ASKED
    if not asked.exists():
        other = " It holds a finished adapter of other settings." if manifests.read(stage.folder) else ""
        raise RunError(
            f"There is no interrupted training of {stage.folder} to resume.{other}",
            hint="Leave out --resume to start one; to train an adapter further, use --continue-from.",
        )
    before = json.loads(asked.read_text(encoding="utf-8"))
    if different := list(_different(before, config.model_dump(mode="json"), inputs)):
        raise RunError(
            f"The interrupted training of {stage.folder} is another one: {'; '.join(different)}.",
            hint="Give what it was started with, or start anew with --force instead of --resume.",
        )
    if not last_step(work):
        raise RunError(
            f"The training of {stage.folder} was interrupted before its first checkpoint.",
            hint="Leave out --resume to start it again; a lower --save-steps makes checkpoints sooner.",
        )


def check_dropped(stage: Stage, config: FinetuneConfig, inputs: dict[str, str]) -> None:
    """Raise AdapterExists where this command would drop the checkpoints of another training that was stopped."""
    step = last_step(stage.work) if stage.left_by_another else 0
    if not step:
        return
    before = json.loads((stage.work / ASKED).read_text(encoding="utf-8"))
    different = "; ".join(_different(before, config.model_dump(mode="json"), inputs))
    raise AdapterExists(
        f"Another training of {stage.folder} was stopped after step {step} and can still go on: {different}.",
        hint="Run the command again as it was, name another --out, or drop that training with --force.",
    )


def _different(
    before: dict[str, dict[str, object]], config: dict[str, object], inputs: dict[str, str]
) -> Iterator[str]:
    for key, value in config.items():
        old = before["config"].get(key)
        if old != value:
            yield f"--{key.replace('_', '-')} was {_shown(old)}, is {_shown(value)}"
    for words, prefix in (("base", "base"), ("adapter it starts from", "start/")):
        if _of(before["inputs"], prefix) != _of(inputs, prefix):
            yield f"it had another {words}"
    if _rows(before["inputs"]) != _rows(inputs):
        yield "it had other rows"


def _of(inputs: dict[str, object] | dict[str, str], prefix: str) -> dict[str, object]:
    return {key: value for key, value in inputs.items() if key.startswith(prefix)}


def _rows(inputs: dict[str, object] | dict[str, str]) -> dict[str, object]:
    return {key: value for key, value in inputs.items() if not key.startswith(("base", "start/"))}


def _shown(value: object) -> str:
    return "left out" if value is None else str(value)
