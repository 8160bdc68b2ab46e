"""How a training ends before its last step: by a signal, after a checkpoint, in all processes at once."""

from __future__ import annotations

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from doceo.core import stopping
from finetune import ranks


class Cut(Exception):
    """A signal came in the middle of an evaluation, which is done again when the training goes on."""


class Stop(stopping.Stop, TrainerCallback):
    """Ends training after the running step, with a checkpoint, once a signal has come.

    An evaluation is not waited for: `cut` says that one was left out, at the step of the checkpoint.
    """

    def __init__(self) -> None:
        super().__init__()
        self.cut = False

    @property
    def leaving(self) -> bool:
        """Whether nothing more is waited for. Several processes end a step together: each waits for the others."""
        return self.signal is not None and ranks.count() == 1

    def check(self) -> None:
        """Raise Cut where a signal has come."""
        if self.leaving:
            self.cut = True
            raise Cut

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object
    ) -> None:
        """Train no further where the checkpoint is that of the last step."""
        if state.global_step >= state.max_steps:
            control.should_training_stop = True

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object
    ) -> None:
        """Ask for a checkpoint and the end."""
        if self.signal is not None:
            control.should_save = True
            control.should_training_stop = True

    def on_prediction_step(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object
    ) -> None:
        """Leave an evaluation between two of its batches."""
        self.check()

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object) -> None:
        """Take no step more where the signal came while the checkpoint was written."""
        if self.leaving:
            control.should_training_stop = True


class Together(TrainerCallback):
    """Makes all processes save and stop at the same step, whichever of them was asked to; comes last of all."""

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: object
    ) -> None:
        """Agree whether there is anything left to train: only the first process knows the log."""
        self._agree(control)

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
