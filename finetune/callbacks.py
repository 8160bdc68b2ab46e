"""What happens beside the training steps: the log, progress, the best adapter."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from data.jsonl import write_jsonl
from doceo.core import lease
from doceo.core.errors import TrainingError
from doceo.core.protocols import Task
from finetune.checkpointing import checkpoints, lines_until
from finetune.log_file import append
from finetune.peak import Peak
from finetune.weights import save_weights

FINITE = {"loss": "training loss", "eval_loss": "validation loss", "grad_norm": "gradient"}
"""What the trainer logs that has to be a finite number, in words."""
FIGURES = ("loss", "eval_loss", "accuracy", "eval_accuracy")
"""Loss, and share of the learned tokens that the model found likeliest, in training and on validation rows."""
REWARDS = ("reward_margin", "reward_accuracy", "eval_reward_margin", "eval_reward_accuracy")
"""Of pairs of answers: how much more the preferred one is rewarded, and the share of pairs where it is more."""


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
        write_jsonl(self.path, self.lines)

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **more: object,
    ) -> None:
        """Add a line; the summary that the trainer logs at its end is left out.

        An evaluation that was cut off and is done again takes the place of what was logged of it.
        """
        logs = logs or {}
        if "loss" not in logs and "eval_loss" not in logs:
            return
        last = self.lines[-1] if self.lines else {}
        if "eval_loss" in logs and last.get("step") == state.global_step and last["eval_loss"] is not None:
            self.lines.pop()
            write_jsonl(self.path, self.lines)
        self.lines.append(
            {
                "step": state.global_step,
                "epoch": round(float(state.epoch or 0.0), 4),
                **{name: logs.get(name) for name in FIGURES},
                **{name: logs[name] for name in REWARDS if name in logs},
                "learning_rate": logs.get("learning_rate"),
                "tokens": int(state.num_input_tokens_seen),
                "seconds": round(self.before + self.clock() - self.start, 3),
            }
        )
        append(self.path, self.lines[-1])

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object) -> None:
        """Let the log outlast a power cut, as the checkpoint does."""
        write_jsonl(self.path, self.lines)


class Finite(TrainerCallback):
    """Ends a training whose numbers run away, before a checkpoint of that step is written; comes before the log."""

    def __init__(self, log: Log) -> None:
        self.log = log

    def on_log(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        logs: dict[str, Any] | None = None,
        **more: object,
    ) -> None:
        """Raise TrainingError where a number is none. The steps until then are in the log."""
        wrong = [key for key in FINITE if not math.isfinite(float((logs or {}).get(key) or 0.0))]
        if not wrong:
            return
        write_jsonl(self.log.path, self.log.lines)
        kept = checkpoints(Path(str(args.output_dir)))
        hint = "Start again with a lower --learning-rate"
        if kept:
            hint = f"{hint} and --force; the checkpoint of step {kept[-1].name.split('-')[1]} is kept in {kept[-1]}"
        raise TrainingError(
            f"The {FINITE[wrong[0]]} is not a number any more at step {state.global_step}, "
            f"with a learning rate of {args.learning_rate:g} at its highest.",
            hint=f"{hint}.",
        )


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

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object
    ) -> None:
        """Train no further where the checkpoint is of the step that the training was stopped at."""
        losses = self._losses()
        if losses and self._waited(losses) >= self.patience:
            control.should_training_stop = True

    def on_evaluate(
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float] | None = None,
        **more: Any,  # noqa: ANN401 - the trainer passes its objects by name
    ) -> None:
        """Save the adapter if this evaluation is the best one, or stop after `patience` that were not."""
        waited = self._waited(self._losses())
        if not waited:
            new = self.folder.with_name(f".{self.folder.name}.new")
            shutil.rmtree(new, ignore_errors=True)
            save_weights(more["model"], new)
            lease.check()
            shutil.rmtree(self.folder, ignore_errors=True)
            new.replace(self.folder)
        elif waited >= self.patience:
            control.should_training_stop = True

    def _losses(self) -> list[float]:
        return [float(line["eval_loss"]) for line in self.log.lines if line["eval_loss"] is not None]  # type: ignore[arg-type]  # JSON number

    def _waited(self, losses: list[float]) -> int:
        """Return how many evaluations came after the best one."""
        return len(losses) - 1 - losses.index(min(losses))


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
