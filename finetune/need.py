"""The memory that training adds to an opened base, worked out from its layers."""

from __future__ import annotations

from doceo.core.records import Record
from doceo.providers.hf_models import Opened
from finetune.method import FULL, linear_widths
from finetune.recipe import LOGITS, Recipe

FLOAT = 4
KEPT_IN, KEPT_OUT = 8, 6
"""Bytes kept for the way back of each input and each output of a linear layer, a token: float32 and a bfloat16 copy
of the input, which the adapter learns from, and what the layers between make of the output."""


class Need(Record):
    """Bytes that training adds to the base's weights, by what they are for."""

    adapter: int
    """Weights that are trained, where they are not the base's own."""
    gradients: int
    optimizer: int
    """AdamW keeps two numbers for each trained weight."""
    casts: int
    """Copies in bfloat16 of a base that is kept in float32."""
    activations: int
    logits: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.adapter + self.gradients + self.optimizer + self.casts + self.activations + self.logits


def need(opened: Opened, made: Recipe, longest: int) -> Need:
    """Return what training adds to an opened base of at most `longest` tokens a row.

    Activations are counted from the inputs and outputs of all linear layers, in the manner of Korthikanti et al.
    2022; attention is taken to keep nothing that grows with the square of the length, as PyTorch's fused one does.
    """
    layers = [(width, _outputs(module)) for _, width, module in _linear(opened)]
    parameters = opened.model.num_parameters()
    trained = parameters if made.method == FULL else sum(made.rank * (i + o) for i, o in layers)
    tokens = made.rows_at_once(longest) * longest
    a_token = sum(KEPT_IN * i + KEPT_OUT * o for i, o in layers)
    if made.checkpointing:
        # Between blocks only the hidden state is kept; one block at a time is computed anew.
        config = opened.model.config.get_text_config()
        a_token = a_token // config.num_hidden_layers + config.num_hidden_layers * config.hidden_size * FLOAT
    vocabulary = int(opened.model.config.get_text_config().vocab_size)
    casting = made.half and opened.model.dtype.itemsize == FLOAT
    return Need(
        adapter=0 if made.method == FULL else trained * FLOAT,
        gradients=trained * FLOAT,
        optimizer=2 * trained * FLOAT,
        casts=parameters * 2 if casting else 0,
        activations=tokens * a_token,
        # Logits, their exponentials and their gradient.
        logits=3 * FLOAT * min(tokens * vocabulary, LOGITS),
    )


def _linear(opened: Opened) -> list[tuple[str, int, object]]:
    modules = dict(opened.model.named_modules())
    return [(name, width, modules[name]) for name, width in linear_widths(opened.model)]


def _outputs(module: object) -> int:
    """Return the output width of a `Linear` or a `Conv1D`."""
    return int(getattr(module, "out_features", 0) or vars(module)["nf"])
