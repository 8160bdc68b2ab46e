"""What every trainer here does otherwise than the libraries': order of the rows, figures, and how it is stopped."""

from __future__ import annotations

from typing import Any

import torch
from transformers import Trainer

from finetune import ranks
from finetune.means import Means
from finetune.order import LikeLengths
from finetune.stopping import Cut


class SteadyTrainer(Trainer):
    """Stands before one of TRL's trainers: it reports nothing to anybody, and a continued training equals a whole one.

    `means` holds what the batches came to, apart for training and evaluation: how it is weighted does not depend on the
    rows that go through the model at once, as it does in the libraries' own figures.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the signature is TRL's
        self.means = {"train": Means(), "eval": Means()}
        super().__init__(*args, **kwargs)

    @property
    def mode(self) -> str:
        """Whether the model learns (`train`) or is evaluated (`eval`)."""
        return "train" if self.model.training else "eval"

    def _send_telemetry(self) -> None:
        """Send nothing."""

    def create_model_card(self, *args: object, **kwargs: object) -> None:
        """Write no model card into checkpoints."""

    def _get_train_sampler(self, train_dataset: Any = None) -> torch.utils.data.Sampler[int]:  # noqa: ANN401
        """Return the order of the rows; a probe keeps that of the table. The last row of a shared table fills up."""
        rows = self.train_dataset if train_dataset is None else train_dataset
        if self.args.train_sampling_strategy == "sequential":
            return torch.utils.data.SequentialSampler(rows)
        together = self.args.per_device_train_batch_size * self.args.world_size
        batch = together * self.args.gradient_accumulation_steps
        lengths = self.lengths(rows)
        if ranks.count() == 1:
            return LikeLengths(lengths, batch, self.args.seed)
        return LikeLengths(lengths[:-1], batch, self.args.seed, multiple=together)

    def lengths(self, rows: Any) -> list[int]:  # noqa: ANN401 - datasets ships no types
        """Return the tokens of every row of the table."""
        return [len(ids) for ids in rows["input_ids"]]

    def _run_epoch(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the signature is transformers'
        """Train a pass, unless a checkpoint of the end was opened: the trainer would take one more step first."""
        if not self.control.should_training_stop:
            super()._run_epoch(*args, **kwargs)

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:  # noqa: ANN401 - the signature is transformers'
        """Evaluate; where a signal cuts that short, ask for a checkpoint and the end."""
        try:
            return dict(super().evaluate(*args, **kwargs))
        except Cut:
            self.means["eval"] = Means()
            self.control.should_evaluate = False
            self.control.should_save = self.control.should_training_stop = True
            return {}

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log with the tokens of the whole training, since TRL counts from where a process started."""
        self._metrics["train"]["num_tokens"] = [int(self.state.num_input_tokens_seen)]
        if "loss" in logs or "eval_loss" in logs:
            before = "eval_" if "eval_loss" in logs else ""
            logs |= {before + name: mean for name, mean in self.means[self.mode].taken().items()}
        super().log(logs, start_time)
