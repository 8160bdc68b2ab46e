"""What happens beside the training steps: the log, progress, finished checkpoints, the best adapter, a clean stop."""

from __future__ import annotations

import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from data.jsonl import write_jsonl
from doceo.core.protocols import Task
from finetune import ranks
from finetune.checkpointing import MARK, checkpoints, lines_until
from finetune.peak import Peak
from finetune.weights import save_weights

STOPS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGINT") if hasattr(signal, name))


class Mark(TrainerCallback):
    """Marks a checkpoint once all of it is on disk, and keeps the newest two."""

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object) -> None:
        """Mark the checkpoint that was just written."""
        folder = Path(str(args.output_dir))
        (folder / f"checkpoint-{state.global_step}" / MARK).touch()
        for old in checkpoints(folder)[:-2]:
            (old / MARK).unlink()
            shutil.rmtree(old)


class Log(TrainerCallback):
    """Writes `training.jsonl`, a line for each step and each evaluation; a continued run drops what it repeats."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self.path, self.clock = path, clock
        self.start, self.before = clock(), 0.0
        self.lines: list[dict[str, object]] = []

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object
    ) -> None:
        """Keep the lines up to the checkpoint that training goes on from."""
        self.lines = lines_until(self.path, state.global_step)
        self.before = float(self.lines[-1]["seconds"]) if self.lines else 0.0  # type: ignore[arg-type]  # JSON number
        self.start = self.clock()

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **more: object,
    ) -> None:
        """Add a line; the summary that the trainer logs at its end is left out."""
        logs = logs or {}
        if "loss" not in logs and "eval_loss" not in logs:
            return
        self.lines.append(
            {
                "step": state.global_step,
                "epoch": round(float(state.epoch or 0.0), 4),
                "loss": logs.get("loss"),
                "eval_loss": logs.get("eval_loss"),
                "learning_rate": logs.get("learning_rate"),
                "tokens": int(state.num_input_tokens_seen),
                "seconds": round(self.before + self.clock() - self.start, 3),
            }
        )

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object) -> None:
        """Bring the log on disk up to the checkpoint."""
        write_jsonl(self.path, self.lines)


class Watch(TrainerCallback):
    """Shows each step with loss, speed, time left and memory."""

    def __init__(self, task: Task, peak: Peak, clock: Callable[[], float]) -> None:
        self.task, self.peak, self.clock = task, peak, clock
        self.note = ""
        self.start, self.step, self.tokens = clock(), 0, 0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object
    ) -> None:
        """Count the steps that an earlier process has done."""
        self.start, self.step, self.tokens = self.clock(), state.global_step, int(state.num_input_tokens_seen)
        if state.global_step:
            self.task.advance(state.global_step, "continued")

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object
    ) -> None:
        """Show one more step."""
        self.task.advance(1, self.note)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **more: object,
    ) -> None:
        """Make the note of the next step. Speed and time left count evaluations too."""
        if not logs or "loss" not in logs:
            return
        seconds = max(1e-9, self.clock() - self.start)
        speed = (int(state.num_input_tokens_seen) - self.tokens) / seconds
        left = seconds / max(1, state.global_step - self.step) * (state.max_steps - state.global_step)
        memory = self.peak.look() / 1e9
        self.note = f"loss {float(logs['loss']):.2f}, {speed:,.0f} tok/s, {_spoken(left)} left, {memory:.1f} GB"


def _spoken(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


class Best(TrainerCallback):
    """Keeps the adapter with the lowest validation loss and stops when it no longer falls.

    What it remembers is read back from the log, so a continued run decides as an uninterrupted one.
    """

    def __init__(self, folder: Path, patience: int, log: Log) -> None:
        self.folder, self.patience, self.log = folder, patience, log

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        **more: Any,  # noqa: ANN401 - the trainer passes its objects by name
    ) -> None:
        """Save the adapter if this evaluation is the best one, or stop after `patience` that were not."""
        losses = [float(line["eval_loss"]) for line in self.log.lines if line["eval_loss"] is not None]  # type: ignore[arg-type]  # JSON number
        best = losses.index(min(losses))
        if best == len(losses) - 1:
            new = self.folder.with_name(f".{self.folder.name}.new")
            shutil.rmtree(new, ignore_errors=True)
            save_weights(more["model"], new)
            shutil.rmtree(self.folder, ignore_errors=True)
            new.replace(self.folder)
        elif len(losses) - 1 - best >= self.patience:
            control.should_training_stop = True


class Clocked(TrainerCallback):
    """Measures the seconds of each step."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self.start = 0.0
        self.seconds: list[float] = []

    def on_step_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object
    ) -> None:
        """Start the watch."""
        self.start = self.clock()

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object
    ) -> None:
        """Stop it."""
        self.seconds.append(self.clock() - self.start)


class Together(TrainerCallback):
    """Makes all processes save and stop at the same step, whichever of them was asked to; comes last of all."""

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object
    ) -> None:
        """Agree after a step."""
        self._agree(control)

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object
    ) -> None:
        """Agree after an evaluation, whose result only the first process keeps."""
        self._agree(control)

    def _agree(self, control: TrainerControl) -> None:
        found = ranks.either(control.should_save, control.should_training_stop)
        control.should_save, control.should_training_stop = found


class Stop(TrainerCallback):
    """Ends training after the running step, with a checkpoint, once a signal has come; a second one ends at once."""

    def __init__(self) -> None:
        self.signal: int | None = None

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object
    ) -> None:
        """Ask for a checkpoint and the end."""
        if self.signal is not None:
            control.should_save = True
            control.should_training_stop = True

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Catch SIGTERM and Ctrl-C in the main thread while the block runs."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.getsignal(number) for number in STOPS}

        def caught(number: int, frame: FrameType | None) -> None:
            self.signal = number
            for each, handler in before.items():
                signal.signal(each, handler)

        for number in STOPS:
            signal.signal(number, caught)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
