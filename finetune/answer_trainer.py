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
from finetune.recipe import LOGITS
from finetune.steady_trainer import SteadyTrainer


class AnswerTrainer(SteadyTrainer, SFTTrainer):
    """`SFTTrainer` that asks a CPU for the logits of learned tokens only."""

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
            self.means["eval"].add("loss", float(found[0] if return_outputs else found), tokens)
        return found

    def _loss(
        self,
        model: Any,  # noqa: ANN401 - a model, perhaps wrapped
        inputs: dict[str, torch.Tensor],
        tokens: int,
        return_outputs: bool,
        num_items_in_batch: torch.Tensor | int | None,
    ) -> Any:  # noqa: ANN401
        """Return the loss from the model's own logits where they are few, else as TRL does; note the accuracy."""
        labels = inputs["labels"][:, 1:]
        learned = labels != IGNORED
        plain = not return_outputs and labels.device.type == "cpu" and "attention_mask" in inputs
        many = tokens * self.model.config.get_text_config().vocab_size > LOGITS
        # All processes have to go one way: on TRL's they wait for one another.
        if not plain or self.aux_loss_enabled or ranks.either(many)[0]:
            found = super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
            self.means[self.mode].add("accuracy", self._metrics[self.mode]["mean_token_accuracy"][-1], tokens)
            return found
        read = {key: value for key, value in inputs.items() if key != "labels"}
        with only_at(self.model.get_output_embeddings(), learned):
            logits = model(**read, use_cache=False).logits.float()
        right = (logits.detach().argmax(dim=-1) == labels[learned]).sum()
        self.means[self.mode].add("accuracy", float(right) / max(1, tokens), tokens)
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
