"""What is put on disk while a training runs: whole checkpoints, and the adapters after its passes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from doceo.core import lease
from finetune.checkpointing import DUE, MARK, checkpoints
from finetune.passes import PASSES, passes
from finetune.stopping import Stop
from finetune.weights import save_weights


class Mark(TrainerCallback):
    """Marks a checkpoint once all of it is on disk, and keeps the newest two."""

    def __init__(self, stop: Stop) -> None:
        self.stop = stop

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object) -> None:
        """Mark the checkpoint that was just written, once it would outlast a power cut too."""
        folder = Path(str(args.output_dir))
        place = folder / f"checkpoint-{state.global_step}"
        for file in place.rglob("*"):
            if file.is_file():
                with file.open("rb+") as written:
                    os.fsync(written.fileno())
        if self.stop.cut:
            (place / DUE).touch()
        lease.check()
        (place / MARK).touch()
        for old in checkpoints(folder)[:-2]:
            (old / MARK).unlink()
            shutil.rmtree(old)


class Due(TrainerCallback):
    """Does the evaluation first that was left out at the checkpoint; comes after all that its result is told to."""

    def __init__(self, checkpoint: Path | None) -> None:
        self.checkpoint = checkpoint
        self.evaluate: Callable[[], object] | None = None

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object
    ) -> None:
        """Evaluate where it is due."""
        if self.evaluate and self.checkpoint and (self.checkpoint / DUE).exists():
            self.evaluate()


class Passes(TrainerCallback):
    """Keeps what was trained after each of the last passes, ready for use, in `passes/step-N`.

    Args:
        work: The folder of the training.
        steps: Optimizer steps of a pass.
        count: How many passes are kept.
        finish: Makes a folder of weights complete: the tokenizer, and what of the config is ours.
    """

    def __init__(self, work: Path, steps: int, count: int, finish: Callable[[Path], None]) -> None:
        self.work, self.steps, self.count, self.finish = work, steps, count, finish

    def on_step_end(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        **more: Any,  # noqa: ANN401 - the trainer passes its objects by name
    ) -> None:
        """Save at the last step of a pass: before the checkpoint of that step, from which it would not be made."""
        if state.global_step % self.steps:
            return
        place = self.work / PASSES / f"step-{state.global_step}"
        new = place.with_name(f".{place.name}.new")
        for old in (new, place):
            shutil.rmtree(old, ignore_errors=True)
        save_weights(more["model"], new)
        self.finish(new)
        lease.check()
        new.replace(place)
        for gone in passes(self.work)[: -self.count]:
            shutil.rmtree(gone.folder)
