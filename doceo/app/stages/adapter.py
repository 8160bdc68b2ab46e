"""Stage 5: dataset to adapter."""

from __future__ import annotations

import shutil
from pathlib import Path

from data.jsonl import write_json
from data.store import ADAPTER, DATASET, Run, Stage
from doceo.app.stages.estimate import say_estimate
from doceo.core.config import FinetuneConfig
from doceo.core.errors import AdapterExists
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
    """Train an adapter on a file of rows and return its folder. Raises as `train_adapter`."""
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
    from data.manifest import file_sha256, hash_inputs

    inputs = hash_inputs(rows, run.path)
    weights = sorted(Path(base).glob("*.safetensors")) if Path(base).is_dir() else []
    inputs |= {f"base/{weight.name}": file_sha256(weight) for weight in weights}
    return inputs if weights else {**inputs, "base": base}
