"""The loss of a batch, made cheap: the two parts of a small model's step that cost more than its layers.

The vocabulary's logits are never held at once: loss and gradients are worked out a few hundred tokens at a time in the
forward pass, as in Liger Kernel (Hsu et al. 2024). Attention over short windows is written out in bfloat16 on a CPU,
where `scaled_dot_product_attention` has a slow backward pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from transformers import PreTrainedModel

CHUNK = 256
"""Tokens whose logits are held at once."""
IGNORED = -100
"""A target that counts for nothing."""
WRITTEN_OUT, STANDARD = "doceo_causal_bf16", "sdpa"
_LONGEST = 1024
"""Tokens up to which attention is written out: its memory grows with the square."""
_KNOWN = ("llama", "mistral", "qwen2", "qwen3")
"""Architectures whose attention is the plain causal one, apart from masks, which are seen."""


class Objective:
    """The mean loss of a batch in nats a token, to be differentiated, and the sum without a gradient.

    Args:
        model: A causal language model.
        half: Compute in bfloat16 over the model's own weights.
        compiled: Compile the loss with torch.compile, which then takes the logits whole and fuses them itself.
    """

    def __init__(self, model: PreTrainedModel, *, half: bool, compiled: bool = False) -> None:
        self._model: Any = model
        self._half = half
        self._kind = model.device.type
        if half and self._kind == "cpu" and model.config.model_type in _KNOWN:
            write_attention_out(model)
        self._chunked = _head_is_plain(model)
        self._loss: Callable[[torch.Tensor, torch.Tensor], torch.Tensor] = (
            self._chunked_loss if self._chunked else self._whole_loss
        )
        if compiled:
            self._loss = torch.compile(self._whole_loss)

    def mean(self, windows: torch.Tensor) -> torch.Tensor:
        """Return the loss of windows of shape (rows, length + 1), whose first token is not predicted."""
        with torch.autocast(self._kind, torch.bfloat16, enabled=self._half):
            return self._loss(windows[:, :-1], windows[:, 1:])

    @torch.no_grad()
    def total(self, inputs: torch.Tensor, targets: torch.Tensor) -> float:
        """Return the sum of the losses of targets that are not `IGNORED`; both of shape (rows, length)."""
        with torch.autocast(self._kind, torch.bfloat16, enabled=self._half):
            if not self._chunked:
                logits = self._model(input_ids=inputs, use_cache=False).logits
                return _summed(logits.flatten(0, 1), targets.flatten())
            hidden = self._hidden(inputs).flatten(0, 1)
            head = self._model.get_output_embeddings().weight
            flat = targets.flatten()
            parts = range(0, len(flat), CHUNK)
            return sum(_summed(functional.linear(hidden[i : i + CHUNK], head), flat[i : i + CHUNK]) for i in parts)

    def _whole_loss(self, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        logits = self._model(input_ids=inputs, use_cache=False).logits
        with torch.autocast(self._kind, enabled=False):
            return functional.cross_entropy(logits.float().flatten(0, 1), targets.flatten())

    def _chunked_loss(self, inputs: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        hidden = self._hidden(inputs).flatten(0, 1)
        head = self._model.get_output_embeddings().weight
        loss: torch.Tensor = _ChunkedLoss.apply(hidden, head, targets.flatten(), self._half)  # type: ignore[no-untyped-call]  # torch leaves it unannotated
        return loss

    def _hidden(self, inputs: torch.Tensor) -> torch.Tensor:
        hidden: torch.Tensor = self._model.base_model(input_ids=inputs, use_cache=False).last_hidden_state
        return hidden


class _ChunkedLoss(torch.autograd.Function):
    """Mean cross-entropy of `hidden @ head.T`, shapes (tokens, width) and (vocabulary, width), a chunk at a time."""

    @staticmethod
    def forward(
        context: Any,  # noqa: ANN401 - torch's
        hidden: torch.Tensor,
        head: torch.Tensor,
        targets: torch.Tensor,
        half: bool,
    ) -> torch.Tensor:
        kind = torch.bfloat16 if half else hidden.dtype
        rows, weight = hidden.to(kind), head.to(kind)
        to_hidden = torch.empty_like(rows)
        to_head = torch.zeros_like(head)
        total = torch.zeros((), device=hidden.device)
        with torch.autocast(hidden.device.type, enabled=False):
            for start in range(0, len(targets), CHUNK):
                part, wanted = rows[start : start + CHUNK], targets[start : start + CHUNK, None]
                logits = torch.mm(part, weight.t()).float()
                highest = logits.amax(-1, keepdim=True)
                reached = logits.gather(1, wanted) - highest
                share = logits.sub_(highest).exp_()
                norm = share.sum(-1, keepdim=True)
                total += (norm.log() - reached).sum()
                share.div_(norm * len(targets))
                share.scatter_add_(1, wanted, torch.full_like(reached, -1.0 / len(targets)))
                gradient = share.to(kind)
                torch.mm(gradient, weight, out=to_hidden[start : start + CHUNK])
                to_head += torch.mm(gradient.t(), part)
        context.save_for_backward(to_hidden.to(hidden.dtype), to_head)
        return total / len(targets)

    @staticmethod
    def backward(context: Any, outer: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, None, None]:  # noqa: ANN401 - torch's
        to_hidden, to_head = context.saved_tensors
        return to_hidden * outer, to_head * outer, None, None


def _summed(logits: torch.Tensor, targets: torch.Tensor) -> float:
    return float(functional.cross_entropy(logits.float(), targets, ignore_index=IGNORED, reduction="sum"))


@torch.no_grad()
def _head_is_plain(model: PreTrainedModel) -> bool:
    """Return whether logits are `hidden @ head.T` and nothing else, found by computing both."""
    head = model.get_output_embeddings()
    if head is None or getattr(head, "bias", None) is not None or model.base_model is model:
        return False
    training = model.training
    model.eval()
    inputs = torch.arange(8, device=model.device)[None] % model.config.get_text_config().vocab_size
    logits = model(input_ids=inputs, use_cache=False).logits.float()
    hidden = getattr(model.base_model(input_ids=inputs, use_cache=False), "last_hidden_state", None)
    model.train(training)
    if hidden is None or hidden.shape[-1] != head.weight.shape[-1]:
        return False
    # Both differ only by rounding, whatever the order of the sums.
    return bool(torch.allclose(hidden.float() @ head.weight.float().t(), logits, rtol=1e-3, atol=1e-3))


def write_attention_out(model: PreTrainedModel) -> None:
    """Let a model's attention be written out where that is faster and the same; `STANDARD` undoes it."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    AttentionInterface.register(WRITTEN_OUT, _causal)
    AttentionMaskInterface.register(WRITTEN_OUT, sdpa_mask)
    model.set_attn_implementation(WRITTEN_OUT)


def _causal(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **more: Any,  # noqa: ANN401 - what transformers passes
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Attend to all that stands before, shapes (batch, heads, length, head size); anything else goes the usual way."""
    length = query.shape[2]
    plain = attention_mask is None and not dropout and length == key.shape[2] and value.dtype == torch.bfloat16
    if not plain or not 1 < length <= _LONGEST:
        from transformers.integrations.sdpa_attention import sdpa_attention_forward

        found: tuple[torch.Tensor, None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **more
        )
        return found
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    query, key = query.bfloat16(), key.bfloat16()
    with torch.autocast(query.device.type, enabled=False):
        later = torch.full((length, length), float("-inf"), device=query.device, dtype=query.dtype).triu_(1)
        blank = later.expand(query.shape[0] * query.shape[1], length, length)
        scale = query.shape[-1] ** -0.5 if scaling is None else scaling
        scores = torch.baddbmm(blank, query.flatten(0, 1), key.flatten(0, 1).transpose(1, 2), alpha=scale)
        attended = torch.bmm(torch.softmax(scores, -1), value.flatten(0, 1)).view(query.shape)
    return attended.transpose(1, 2).contiguous(), None
