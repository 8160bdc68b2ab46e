"""Dataset to adapter: LoRA by TRL's `SFTTrainer` and PEFT, with the settings that are easily got wrong."""

from __future__ import annotations

import errno
import json
import math
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from data.jsonl import storage_error, write_jsonl, write_text
from data.manifest import file_sha256
from doceo.core.config import FinetuneConfig
from doceo.core.errors import TrainingError
from doceo.core.fingerprint import config_hash, identify
from doceo.core.protocols import Progress
from doceo.core.records import Record
from doceo.providers.hf_models import Opened, quiet
from finetune.base import open_base
from finetune.checks import load_rows
from finetune.examples import Dataset, encode_rows
from finetune.recipe import Recipe, recipe
from finetune.tracking import prepare_tracker

CHECKPOINTS, RECIPE = "checkpoints", "made-from"


class Finetuned(Record):
    """What fine-tuning made. Losses are in nats a token; `best_step` is the step whose adapter was kept."""

    base: str
    parameters: int
    trainable: int
    rows: int
    repeated: int
    too_long: int
    steps: int
    best_step: int
    epochs: float
    tokens: int
    seconds: float
    loss: float
    eval_loss: float | None


def finetune(
    train_rows: Path,
    validation_rows: Path | None,
    base: str,
    config: FinetuneConfig,
    work: Path,
    progress: Progress,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> Finetuned:
    """Train a LoRA adapter and leave it in a folder, with its log and curve.

    A folder in which the same training was interrupted is continued from its newest finished checkpoint; the result
    equals that of an uninterrupted run on the same machine. Ctrl-C and SIGTERM save a checkpoint first.

    Args:
        train_rows: JSONL of {"messages": [...]}; the last message of each row is learned.
        validation_rows: The same form, or None; decides which adapter is kept and when to stop.
        base: Folder or hub name of the base model.
        config: Rank, learning rate, epochs and so on.
        work: The folder to write: the adapter, the tokenizer, training.jsonl, curve.svg.
        progress: Where steps are shown.
        clock: Seconds, for the log.

    Raises:
        InputError: A row is faulty; the message lists lines and fields.
        TrainingError: Nothing is left to train on, or the loss is no longer a number.
        ModelNotFound: There is no such base.
        ProviderError: The base cannot be used.
        StorageError: The folder cannot be written.
        MissingExtra: The tracker that is named is not installed.
    """
    prepare_tracker(config, work)
    checked = load_rows(train_rows)
    files = [path for path in (train_rows, validation_rows) if path and path.stat().st_size]
    held = load_rows(files[1]).rows if len(files) > 1 else []
    opened = open_base(base)
    made = recipe(config, opened)
    train = encode_rows(opened.tokenizer, checked.rows, made.max_length)
    validation = encode_rows(opened.tokenizer, held, made.max_length)
    if not train.rows:
        raise TrainingError(
            f"All {len(checked.rows)} rows of {train_rows} are longer than {made.max_length} tokens.",
            hint="Use shorter passages, or a base that reads more (--max-length up to its context).",
        )
    if train.too_long:
        progress.say(f"{len(train.too_long)} rows are longer than {made.max_length} tokens and are left out.")
    _claim(work, identify("", base, config_hash([config]), [file_sha256(path) for path in files]))
    with _mapped(work):
        result = _train(opened, train, validation, made, config, work, progress, clock)
    found = {"base": base, "repeated": len(checked.repeated), "too_long": len(train.too_long)}
    return result.model_copy(update=found)


@contextmanager
def _mapped(work: Path) -> Iterator[None]:
    """Turn a full disk and a full memory into our errors; torch reports both as a RuntimeError."""
    try:
        yield
    except OSError as error:
        raise storage_error(error, work) from error
    except RuntimeError as error:
        text = str(error).lower()
        if "writing file" in text or "no space left" in text:
            raise storage_error(OSError(errno.ENOSPC, "no space left"), work) from error
        if "out of memory" in text or "can't allocate memory" in text or "not enough memory" in text:
            raise TrainingError(
                f"The memory is not enough to train {work.name}: {str(error)[:120]}",
                hint="Lower --batch-size or --max-length, or choose a smaller base; checkpoints are kept.",
            ) from error
        raise


def _claim(work: Path, identity: str) -> None:
    """Keep the checkpoints of a folder only if they are of this very training."""
    note = work / CHECKPOINTS / RECIPE
    if not (note.exists() and note.read_text(encoding="utf-8") == identity):
        shutil.rmtree(work / CHECKPOINTS, ignore_errors=True)
    write_text(note, identity)


def _train(
    opened: Opened,
    train: Dataset,
    validation: Dataset,
    made: Recipe,
    config: FinetuneConfig,
    work: Path,
    progress: Progress,
    clock: Callable[[], float],
) -> Finetuned:
    from finetune.callbacks import BEST, Best, Log, Mark, Stop, Watch, checkpoints
    from finetune.trainer import build_trainer

    place = work / CHECKPOINTS
    earlier = checkpoints(place)
    log, stop = Log(work / "training.jsonl", clock), Stop()
    with quiet(), progress.task("finetune", total=made.steps(len(train.rows)), unit="steps") as task:
        best = [Best(place / BEST, made.patience, log)] if validation.rows and made.patience else []
        callbacks = [log, *best, Mark(), Watch(task), stop]
        trainer = build_trainer(opened, train.rows, validation.rows, made, config, place, callbacks)
        with stop.listening():
            trainer.train(resume_from_checkpoint=str(earlier[-1]) if earlier else None)
    write_jsonl(log.path, log.lines)
    _leave_if_asked(stop.signal)
    return _finish(trainer, log.lines, work, keep_best=bool(best))


def _sort_config(path: Path) -> None:
    """Write an adapter's config anew in one order: PEFT writes its sets of module names in whatever order they have."""
    config = json.loads(path.read_text(encoding="utf-8"))
    ordered = {key: sorted(value) if isinstance(value, list) else value for key, value in config.items()}
    write_text(path, json.dumps(ordered, indent=1, sort_keys=True) + "\n")


def _leave_if_asked(number: int | None) -> None:
    """End as the signal asked, now that the checkpoint is on disk."""
    if number == signal.SIGINT:
        raise KeyboardInterrupt
    if number is not None:
        raise SystemExit(128 + number)


def _finish(
    trainer: Any,  # noqa: ANN401 - trl ships no types
    lines: list[dict[str, Any]],
    work: Path,
    *,
    keep_best: bool,
) -> Finetuned:
    """Put the kept adapter in its place, draw the curve and drop the checkpoints."""
    from finetune.callbacks import BEST
    from finetune.curve import draw_curve

    losses = [line["loss"] for line in lines if line["loss"] is not None]
    if not losses or math.isnan(losses[-1]):
        raise TrainingError("The training loss is not a number.", hint="Try a lower --learning-rate or another --seed.")
    evaluated = [(line["eval_loss"], line["step"]) for line in lines if line["eval_loss"] is not None]
    kept = min(evaluated) if keep_best and evaluated else (evaluated or [(None, 0)])[-1]
    best = work / CHECKPOINTS / BEST
    if keep_best and best.exists():
        for file in best.iterdir():
            file.replace(work / file.name)
    else:
        trainer.model.save_pretrained(work, save_embedding_layers=False)
    (work / "README.md").unlink(missing_ok=True)
    _sort_config(work / "adapter_config.json")
    trainer.processing_class.save_pretrained(work)
    draw_curve(lines, work / "curve.svg")
    shutil.rmtree(work / CHECKPOINTS)
    trainable, parameters = trainer.model.get_nb_trainable_parameters()
    tail = losses[-max(1, len(losses) // 10) :]
    return Finetuned(
        base="",
        parameters=parameters,
        trainable=trainable,
        rows=len(trainer.train_dataset),
        repeated=0,
        too_long=0,
        steps=trainer.state.global_step,
        best_step=kept[1] if keep_best else trainer.state.global_step,
        epochs=round(float(trainer.state.epoch), 3),
        tokens=lines[-1]["tokens"],
        seconds=lines[-1]["seconds"],
        loss=round(sum(tail) / len(tail), 4),
        eval_loss=None if kept[0] is None else round(kept[0], 4),
    )
