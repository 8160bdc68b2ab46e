"""Rows of one batch, each through its own LoRA adapter.

Rows of one adapter stand together, so that every layer adds the product of two matrices to a piece of its output in
place. PEFT's own way (`adapter_names`) picks the rows of each adapter by lists of places, which takes twice the time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

Piece = tuple[str, int, int]
"""An adapter's name, its first row, and the row behind its last."""


def mixes(model: Any, adapter: str) -> bool:  # noqa: ANN401 - of peft
    """Say whether an adapter changes linear layers only, and each by the product of two matrices."""
    from peft.tuners.lora import Linear, LoraLayer

    config = model.peft_config[adapter]
    special = ("modules_to_save", "target_parameters", "trainable_token_indices", "layer_replication")
    if config.peft_type != "LORA" or config.bias != "none" or any(getattr(config, name, None) for name in special):
        return False
    layers = [one for one in model.modules() if isinstance(one, LoraLayer) and adapter in one.scaling]
    return all(
        isinstance(one, Linear) and adapter not in one.lora_variant and not one.lora_bias.get(adapter) for one in layers
    )


@contextmanager
def mixed(model: Any, adapters: Sequence[str | None]) -> Iterator[None]:  # noqa: ANN401 - of peft
    """Have each row of the model's input go through the adapter of its place; None is the base alone.

    Those of one adapter have to stand together.
    """
    from peft.tuners.lora import LoraLayer

    pieces, at = list[Piece](), 0
    for name, rows in groupby(adapters):
        end = at + len(list(rows))
        if name is not None:
            pieces.append((name, at, end))
        at = end
    hooks = []
    try:
        with model.disable_adapter():
            for layer in model.modules():
                if isinstance(layer, LoraLayer):
                    own = [piece for piece in pieces if piece[0] in layer.scaling]
                    hooks.append(layer.register_forward_hook(_Adding(layer, own, at)))
            yield
    finally:
        for hook in hooks:
            hook.remove()


class _Adding:
    """Adds to a layer's output what the adapters of its rows make of its input."""

    def __init__(self, layer: Any, pieces: Sequence[Piece], rows: int) -> None:  # noqa: ANN401 - of peft
        self._rows = rows
        self._pieces = [
            (start, end, layer.lora_A[name].weight.T, layer.lora_B[name].weight.T, layer.scaling[name])
            for name, start, end in pieces
        ]

    def __call__(self, layer: object, given: tuple[torch.Tensor, ...], made: torch.Tensor) -> torch.Tensor:
        """Return the layer's output, shape (rows, tokens, width), changed in place."""
        read = given[0]
        if read.shape[0] != self._rows:
            raise RuntimeError(f"a layer was given {read.shape[0]} rows of {self._rows}")
        for start, end, down, up, scaling in self._pieces:
            small = read[start:end].flatten(0, -2).to(down.dtype) @ down
            made[start:end].view(-1, made.shape[-1]).addmm_(small, up.to(small.dtype), alpha=scaling)
        return made
