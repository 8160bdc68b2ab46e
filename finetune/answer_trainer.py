"""TRL's trainer with a cheaper output layer where the processor is the bottleneck.

TRL projects the learned positions through the vocabulary in tiles, and again when it goes backward; that saves memory
on a GPU and costs time on a CPU. Here the same loss is taken from the model's own logits of the learned columns, as
long as they are few; anything larger goes TRL's way. Both give the same number, which a test checks.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.nn.functional import cross_entropy
from trl import SFTTrainer

from finetune.examples import IGNORED
from finetune.order import LikeLengths

LOGITS = 2**26
"""Most logits built at once: 256 MB in float32."""


class AnswerTrainer(SFTTrainer):
    """`SFTTrainer` that asks a CPU for the logits of learned columns only, and reports nothing to anybody."""

    def _send_telemetry(self) -> None:
        """Send nothing."""

    def create_model_card(self, *args: object, **kwargs: object) -> None:
        """Write no model card into checkpoints."""

    def _get_train_sampler(self, train_dataset: Any = None) -> torch.utils.data.Sampler[int]:  # noqa: ANN401
        """Return the order of the rows; a probe keeps that of the table."""
        rows = self.train_dataset if train_dataset is None else train_dataset
        if self.args.train_sampling_strategy == "sequential":
            return torch.utils.data.SequentialSampler(rows)
        batch = self.args.per_device_train_batch_size * self.args.gradient_accumulation_steps
        return LikeLengths([len(ids) for ids in rows["input_ids"]], batch, self.args.seed)

    def compute_loss(
        self,
        model: Any,  # noqa: ANN401 - the signature is transformers'
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:  # noqa: ANN401
        """Return the mean loss of the learned tokens of a batch, or of the step where its count is given."""
        labels = inputs["labels"][:, 1:]
        columns = (labels != IGNORED).any(dim=0).nonzero().flatten()
        vocabulary = self.model.config.get_text_config().vocab_size
        few = labels.shape[0] * len(columns) * vocabulary <= LOGITS
        if return_outputs or labels.device.type != "cpu" or not few or not len(columns):
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        read = {key: value for key, value in inputs.items() if key != "labels"}
        logits = model(**read, use_cache=False, logits_to_keep=columns).logits.float()
        target = labels[:, columns]
        total = cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=IGNORED, reduction="sum")
        count = (target != IGNORED).sum() if num_items_in_batch is None else num_items_in_batch
        if self.model.training:
            self._total_train_tokens += int(inputs["attention_mask"].sum())
        return total / count
