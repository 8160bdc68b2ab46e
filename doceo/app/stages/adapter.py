"""Stage 5: dataset to adapter."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

from data import manifest as manifests
from data.jsonl import read_json, write_json
from data.store import ADAPTER, DATASET, Run, Stage
from doceo.app.bases import base_of
from doceo.app.stages.resuming import check_dropped, check_resumable
from doceo.core.config import FinetuneConfig
from doceo.core.errors import AdapterExists, StageMissing, UsageError
from doceo.core.protocols import Progress
from finetune.checkpointing import CHECKPOINTS

PACKAGES = ("doceo", "torch", "transformers", "peft", "trl")
FINETUNING = "finetuning.json"
START = "start/"
"""Before the names of the files of an adapter that a training started from, among its inputs."""


class Manner(NamedTuple):
    """How a training begins.

    `force` replaces a finished adapter that was made otherwise; `resume` only goes on with an interrupted training;
    `start` is an adapter whose weights a new training starts from.
    """

    force: bool = False
    resume: bool = False
    start: Path | None = None


def train_adapter(run: Run, base: str, config: FinetuneConfig, progress: Progress, manner: Manner) -> Path:
    """Train a run's adapter and return its folder.

    Args:
        run: A run with a dataset.
        base: Folder or hub name of the base model.
        config: How.
        progress: Where to show it.
        manner: How it begins.

    Raises:
        AdapterExists: there is one, and `force` is not given.
        RunError: `resume` is given, and there is nothing to resume.
        UsageError: full fine-tuning, which makes no adapter.
        StageMissing, InputError, TrainingError, ProviderError, StorageError: see `finetune.lora.finetune`.
    """
    if config.method == "full":
        raise UsageError(
            "--method full makes a whole model, and a run keeps an adapter.",
            hint=f"Give it a folder of its own: doceo finetune {run.path} --method full --out DIR",
        )
    rows = [run.file(DATASET, "train.jsonl"), run.file(DATASET, "validation.jsonl")]
    inputs = _inputs(rows, base, run) | _start_hashes(manner.start)
    stage = run.stage(ADAPTER, config=[config], inputs=inputs, packages=PACKAGES, seed=config.seed)
    return _make(stage, rows, base, config, progress, manner)


def train_on_file(
    file: Path,
    out: Path,
    base: str,
    config: FinetuneConfig,
    progress: Progress,
    manner: Manner,
    *,
    validation: Path | None = None,
) -> Path:
    """Train an adapter on a file of rows and return its folder.

    Without a file to validate on, `holdout_share` of the rows are held out.

    Raises UsageError where the folder holds anything but what was made here by fine-tuning, and as `train_adapter`.
    """
    out = out.expanduser().resolve()
    if out.exists() and not (out.is_dir() and (tuned_at(out) or not any(out.iterdir()))):
        raise UsageError(f"{out} holds other files.", hint="Name a new or empty folder with --out.")
    place = Run(out.parent)
    rows = [file, validation] if validation else [file]
    inputs = _inputs(rows, base, place) | _start_hashes(manner.start)
    stage = place.stage(out.name, config=[config], inputs=inputs, packages=PACKAGES, seed=config.seed)
    return _make(stage, rows, base, config, progress, manner)


def _make(
    stage: Stage, rows: list[Path], base: str, config: FinetuneConfig, progress: Progress, manner: Manner
) -> Path:
    if manner.resume:
        check_resumable(stage, config)
    if stage.finished:
        shutil.rmtree(stage.folder / CHECKPOINTS, ignore_errors=True)
        return stage.folder
    if (stage.folder / "manifest.json").exists() and not manner.force:
        raise AdapterExists(
            f"{stage.folder} holds a finished adapter that was made from other rows, another base or other settings.",
            hint="Name another --out, or replace it with --force.",
        )
    if not manner.force:
        check_dropped(stage, config)
    from finetune.lora import finetune

    with stage.making(resumable=True) as work:
        validation = rows[1] if len(rows) > 1 else None
        share = 0.0 if validation else config.holdout_share
        result = finetune(
            rows[0], validation, base, config, work, progress, holdout=share, measure=True, start=manner.start
        )
        write_json(work / FINETUNING, result.model_dump())
    shutil.rmtree(stage.folder / CHECKPOINTS, ignore_errors=True)
    return stage.folder


def tuned_at(folder: Path) -> float | None:
    """Return when a folder's adapter or model was finished, in seconds since 1970; None where there is none."""
    made = folder / "manifest.json"
    return made.stat().st_mtime if manifests.read(folder) and (folder / FINETUNING).exists() else None


def _inputs(rows: list[Path], base: str, run: Run) -> dict[str, str]:
    """Return the hashes of the rows and of the base's weights; a hub name stands for itself."""
    return manifests.hash_inputs(rows, run.path) | base_hashes(base)


def base_hashes(base: str) -> dict[str, str]:
    """Return {"base/FILE": sha256} of a base's weights, or {"base": NAME} of one on the hub."""
    weights = sorted(Path(base).glob("*.safetensors")) if Path(base).is_dir() else []
    return {f"base/{weight.name}": manifests.file_sha256(weight) for weight in weights} or {"base": base}


def _start_hashes(start: Path | None) -> dict[str, str]:
    weights = sorted(start.glob("*.safetensors")) if start else []
    return {f"{START}{weight.name}": manifests.file_sha256(weight) for weight in weights}


def forgotten_too_much(folder: Path, most: float) -> str:
    """Say that an adapter unlearned more than is allowed, or nothing.

    Args:
        folder: A finished adapter.
        most: Highest rise of the loss on the general text, in nats a token.
    """
    made = read_json(folder / FINETUNING)
    assert isinstance(made, dict)
    found = made.get("forgetting")
    rise = found["loss"] - found["base_loss"] if found else 0.0
    if rise <= most:
        return ""
    return f"The loss on the general text rose by {rise:.3f}, more than the {most:g} that --max-forgetting allows."


def check_fresh(run: Run) -> None:
    """Raise StageMissing where a run's adapter was trained on other rows or another base than the run has now.

    Its scores would be of questions that it may have been trained on.
    """
    made = manifests.read(run.file(ADAPTER, "adapter_config.json").parent)
    assert made is not None
    rows = [run.file(DATASET, "train.jsonl"), run.file(DATASET, "validation.jsonl")]
    known = {name: digest for name, digest in made.inputs.items() if not name.startswith(START)}
    if known != _inputs(rows, base_of(run), run):
        raise StageMissing(
            f"The adapter of {run.path} was trained on another dataset or base than the run has now.",
            hint=f"Train it again: doceo finetune {run.path} --force",
        )
