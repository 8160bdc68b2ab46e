"""Muon for matrices and AdamW for the rest, or AdamW for all; their rates and their state."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch

from doceo.pretrain.recipe import Recipe

if TYPE_CHECKING:
    from transformers import PreTrainedModel

BETAS = (0.9, 0.95)


class Optimizers:
    """What steps a model's weights. Muon: Jordan 2024, `torch.optim.Muon`."""

    def __init__(self, model: PreTrainedModel, recipe: Recipe) -> None:
        self._parameters = list(model.parameters())
        self._clip = recipe.clip
        matrices, others = _kinds(model)
        decay = recipe.weight_decay
        self.all: list[torch.optim.Optimizer] = []
        self._peaks: list[float] = []
        if recipe.optimizer == "muon" and matrices:
            self.all.append(torch.optim.Muon(matrices, lr=recipe.rate, momentum=0.95, weight_decay=decay))
            self._peaks.append(recipe.rate)
            self.all.append(torch.optim.AdamW(others, lr=recipe.other_rate, weight_decay=0.0, betas=BETAS, fused=True))
            self._peaks.append(recipe.other_rate)
        else:
            groups = [{"params": matrices, "weight_decay": decay}, {"params": others, "weight_decay": 0.0}]
            kept = [group for group in groups if group["params"]]
            self.all.append(torch.optim.AdamW(kept, lr=recipe.rate, betas=BETAS, fused=True))
            self._peaks.append(recipe.rate)

    def step(self, share: float) -> None:
        """Take one step at a share of the peak learning rates, and clear the gradients."""
        torch.nn.utils.clip_grad_norm_(self._parameters, self._clip)
        for optimizer, peak in zip(self.all, self._peaks, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = peak * share
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)

    def state(self) -> dict[str, torch.Tensor]:
        """Return all tensors that the next step depends on, by a name that stays the same."""
        return {
            f"{n}.{parameter}.{name}": value
            for n, optimizer in enumerate(self.all)
            for parameter, values in optimizer.state_dict()["state"].items()
            for name, value in values.items()
        }

    def restore(self, state: dict[str, torch.Tensor]) -> None:
        """Take up what `state` gave."""
        for n, optimizer in enumerate(self.all):
            own: dict[int, dict[str, torch.Tensor]] = {}
            for key, value in state.items():
                which, parameter, name = key.split(".")
                if int(which) == n:
                    own.setdefault(int(parameter), {})[name] = value
            optimizer.load_state_dict({"state": own, "param_groups": optimizer.state_dict()["param_groups"]})


def matrix_size(model: PreTrainedModel) -> int:
    """Return the parameters that Muon would train."""
    return sum(parameter.numel() for parameter in _kinds(model)[0])


def _kinds(model: PreTrainedModel) -> tuple[list[torch.nn.Parameter], list[torch.nn.Parameter]]:
    """Return the layers' matrices, and embeddings, the output head, norms and biases."""
    embedded = {id(parameter) for parameter in _embedded(model)}
    matrices: list[torch.nn.Parameter] = []
    others: list[torch.nn.Parameter] = []
    for parameter in model.parameters():
        (matrices if parameter.ndim == 2 and id(parameter) not in embedded else others).append(parameter)
    return matrices, others


def _embedded(model: PreTrainedModel) -> Iterator[torch.nn.Parameter]:
    for module in model.modules():
        if isinstance(module, torch.nn.Embedding):
            yield from module.parameters()
    head = model.get_output_embeddings()
    if head is not None:
        yield from head.parameters()
