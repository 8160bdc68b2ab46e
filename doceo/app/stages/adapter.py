"""Stage 5: dataset to adapter."""

from __future__ import annotations

import shutil
from pathlib import Path

from data import manifest as manifests
from data.jsonl import write_json
from data.store import ADAPTER, DATASET, Run, Stage
from doceo.app.bases import base_of
from doceo.app.stages.estimate import say_estimate
from doceo.core.config import FinetuneConfig
from doceo.core.errors import AdapterExists, StageMissing, UsageError
from doceo.core.protocols import Progress

PACKAGES = ("doceo", "torch", "transformers", "peft", "trl")


def train_adapter(run: Run, base: str, config: FinetuneConfig, progress: Progress, *, force: bool) -> Path:
    """Train a run's adapter and return its folder.

    Args:
        run: A run with a dataset.
        base: Folder or hub name of the base model.
        config: How.
        progress: Where to show it.
        force: Replace a finished adapter that was made otherwise.

    Raises:
        AdapterExists: there is one, and `force` is not given.
        StageMissing, InputError, TrainingError, ProviderError, StorageError: see `finetune.lora.finetune`.
    """
    rows = [run.file(DATASET, "train.jsonl"), run.file(DATASET, "validation.jsonl")]
    return _make(
        run.stage(ADAPTER, config=[config], inputs=_inputs(rows, base, run), packages=PACKAGES, seed=config.seed),
        rows,
        base,
        config,
        progress,
        force=force,
    )


def train_on_file(file: Path, out: Path, base: str, config: FinetuneConfig, progress: Progress, *, force: bool) -> Path:
    """Train an adapter on a file of rows and return its folder.

    Raises UsageError where the folder holds anything but an adapter made here, and as `train_adapter`.
    """
    out = out.expanduser().resolve()
    if out.is_dir() and any(out.iterdir()) and manifests.read(out) is None:
        raise UsageError(f"{out} holds other files.", hint="Name a new or empty folder with --out.")
    place = Run(out.parent)
    stage = place.stage(
        out.name, config=[config], inputs=_inputs([file], base, place), packages=PACKAGES, seed=config.seed
    )
    return _make(stage, [file], base, config, progress, force=force)


def _make(
    stage: Stage, rows: list[Path], base: str, config: FinetuneConfig, progress: Progress, *, force: bool
) -> Path:
    if stage.finished:
        return stage.folder
    if (stage.folder / "manifest.json").exists() and not force:
        raise AdapterExists(
            f"{stage.folder} holds a finished adapter that was made from other rows, another base or other settings.",
            hint="Name another --out, or replace it with --force.",
        )
    from finetune.lora import finetune

    with stage.making(resumable=True) as work:
        say_estimate(rows[0], base, config, progress)
        result = finetune(rows[0], rows[1] if len(rows) > 1 else None, base, config, work, progress)
        write_json(work / "finetuning.json", result.model_dump())
    shutil.rmtree(stage.folder / "checkpoints", ignore_errors=True)
    return stage.folder


def _inputs(rows: list[Path], base: str, run: Run) -> dict[str, str]:
    """Return the hashes of the rows and of the base's weights; a hub name stands for itself."""
    return manifests.hash_inputs(rows, run.path) | base_hashes(base)


def base_hashes(base: str) -> dict[str, str]:
    """Return {"base/FILE": sha256} of a base's weights, or {"base": NAME} of one on the hub."""
    weights = sorted(Path(base).glob("*.safetensors")) if Path(base).is_dir() else []
    return {f"base/{weight.name}": manifests.file_sha256(weight) for weight in weights} or {"base": base}


def check_fresh(run: Run) -> None:
    """Raise StageMissing where a run's adapter was trained on other rows or another base than the run has now.

    Its scores would be of questions that it may have been trained on.
    """
    made = manifests.read(run.file(ADAPTER, "adapter_config.json").parent)
    assert made is not None
    rows = [run.file(DATASET, "train.jsonl"), run.file(DATASET, "validation.jsonl")]
    if made.inputs != _inputs(rows, base_of(run), run):
        raise StageMissing(
            f"The adapter of {run.path} was trained on another dataset or base than the run has now.",
            hint=f"Train it again: doceo finetune {run.path} --force",
        )
