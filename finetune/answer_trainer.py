"""TRL's trainer with a cheaper output layer where the processor is the bottleneck.

TRL projects the learned positions through the vocabulary in tiles, and again when it goes backward; that saves memory
on a GPU and costs time on a CPU. Here the same loss is taken from the model's own logits at the learned places, as long
as they are few; anything larger goes TRL's way. Both give the same number, which a test checks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch.nn.functional import cross_entropy
from trl import SFTTrainer

from finetune import ranks
from finetune.examples import IGNORED
from finetune.order import LikeLengths
from finetune.recipe import LOGITS


class AnswerTrainer(SFTTrainer):
    """`SFTTrainer` that asks a CPU for the logits of learned tokens only, and reports nothing to anybody."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the signature is TRL's
        self._evaluated: list[tuple[float, int]] = []
        super().__init__(*args, **kwargs)

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
        lengths = [len(ids) for ids in rows["input_ids"]]
        if ranks.count() == 1:
            return LikeLengths(lengths, batch, self.args.seed)
        return LikeLengths(lengths[:-1], batch, self.args.seed, multiple=together)

    def _run_epoch(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - the signature is transformers'
        """Train a pass, unless a checkpoint of the end was opened: the trainer would take one more step first."""
        if not self.control.should_training_stop:
            super()._run_epoch(*args, **kwargs)

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """Log with the tokens of the whole training, since TRL counts from where a process started.

        A validation loss is that of all learned tokens, as in training. The trainer's own is the mean of its batches',
        which changes with the rows at once.
        """
        self._metrics["train"]["num_tokens"] = [int(self.state.num_input_tokens_seen)]
        if "eval_loss" in logs:
            total, tokens = ranks.summed(*map(sum, zip(*self._evaluated, strict=True)))
            logs["eval_loss"] = total / max(1, tokens)
            self._evaluated.clear()
        super().log(logs, start_time)

    def compute_loss(
        self,
        model: Any,  # noqa: ANN401 - the signature is transformers'
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:  # noqa: ANN401
        """Return the mean loss of the learned tokens of a batch, or of the step where its count is given."""
        tokens = int((inputs["labels"][:, 1:] != IGNORED).sum())
        found = self._loss(model, inputs, tokens, return_outputs, num_items_in_batch)
        if not self.model.training:
            loss = found[0] if return_outputs else found
            self._evaluated.append((float(loss) * tokens, tokens))
        return found

    def _loss(
        self,
        model: Any,  # noqa: ANN401 - a model, perhaps wrapped
        inputs: dict[str, torch.Tensor],
        tokens: int,
        return_outputs: bool,
        num_items_in_batch: torch.Tensor | int | None,
    ) -> Any:  # noqa: ANN401
        """Return the loss from the model's own logits where they are few, else as TRL does."""
        labels = inputs["labels"][:, 1:]
        learned = labels != IGNORED
        plain = not return_outputs and labels.device.type == "cpu" and "attention_mask" in inputs
        many = tokens * self.model.config.get_text_config().vocab_size > LOGITS
        # All processes have to go one way: on TRL's they wait for one another.
        if not plain or self.aux_loss_enabled or ranks.either(many)[0]:
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        read = {key: value for key, value in inputs.items() if key != "labels"}
        with only_at(self.model.get_output_embeddings(), learned):
            logits = model(**read, use_cache=False).logits.float()
        total = cross_entropy(logits, labels[learned], reduction="sum")
        loss = total / (max(1, tokens) if num_items_in_batch is None else num_items_in_batch)
        if self.args.average_tokens_across_devices and num_items_in_batch is not None:
            # The count is that of all processes, whose gradients are averaged.
            loss = loss * (self.accelerator.num_processes // self.get_tp_size())
        return loss


@contextmanager
def only_at(head: torch.nn.Module, places: torch.Tensor) -> Iterator[None]:
    """Let an output layer see the hidden states at some places only, so that logits have the shape (places, words).

    Args:
        head: The output layer, called with hidden states of shape (rows, tokens, width).
        places: True where logits are wanted, of shape (rows, tokens - 1): nothing is predicted from the last token.
    """

    def picked(module: torch.nn.Module, arguments: tuple[torch.Tensor, ...]) -> torch.Tensor:
        return arguments[0][:, :-1][places]

    hook = head.register_forward_pre_hook(picked)
    try:
        yield
    finally:
        hook.remove()
