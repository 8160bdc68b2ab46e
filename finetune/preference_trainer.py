"""TRL's `DPOTrainer` over rows that are encoded already: direct preference optimization.

The loss of a pair of answers is -log sigmoid(beta * (the chosen answer's log-probability ratio - the rejected one's)),
each ratio against the model before the training (Rafailov and others, "Direct Preference Optimization", 2023).
"""

from __future__ import annotations

from typing import Any

import torch
from trl import DPOTrainer

from finetune.steady_trainer import SteadyTrainer


class PreferenceTrainer(SteadyTrainer, DPOTrainer):
    """`DPOTrainer` that reads rows as they are, and notes loss, rewards and accuracy weighted by pairs and tokens."""

    def _prepare_dataset(self, dataset: Any, *args: object) -> Any:  # noqa: ANN401 - datasets ships no types
        """Return the table as it is."""
        return dataset

    def lengths(self, rows: Any) -> list[int]:  # noqa: ANN401 - datasets ships no types
        """Return the tokens of the longer sequence of every pair."""
        columns = (rows["prompt_ids"], rows["chosen_ids"], rows["rejected_ids"])
        return [len(asked) + max(len(a), len(b)) for asked, a, b in zip(*columns, strict=True)]

    def get_batch_samples(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the signature is transformers'
        """Return the batches of a step, and note how many pairs they hold."""
        found = super().get_batch_samples(*args, **kwargs)
        sizes = [len(batch["input_ids"]) // 2 for batch in found[0]]
        self._share = len(sizes) / max(1, sum(sizes))
        return found

    def compute_loss(
        self,
        model: Any,  # noqa: ANN401 - the signature is transformers'
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: torch.Tensor | int | None = None,
    ) -> Any:  # noqa: ANN401
        """Return the mean loss of the pairs of a batch; the first half of it are the preferred answers.

        The batches of a step are averaged, and its last may be short: each pair counts the same all the same.
        """
        found = super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        means, seen = self.means[self.mode], self._metrics[self.mode]
        pairs = len(inputs["input_ids"]) // 2
        means.add("reward_margin", seen["rewards/margins"][-1], pairs)
        means.add("reward_accuracy", seen["rewards/accuracies"][-1], pairs)
        means.add("accuracy", seen["mean_token_accuracy"][-1], int(inputs["completion_mask"][:pairs, 1:].sum()))
        if self.model.training:
            return found * pairs * self._share
        means.add("loss", float((found[0] if return_outputs else found).detach()), pairs)
        return found
