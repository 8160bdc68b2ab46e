"""How a training ends before its last step: by a signal, after a checkpoint, in all processes at once."""

from __future__ import annotations

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from doceo.core import stopping
from finetune import ranks


class Stop(stopping.Stop, TrainerCallback):
    """Ends training after the running step, with a checkpoint, once a signal has come."""

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
