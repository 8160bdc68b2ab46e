"""Which tensor of a Llama or Qwen model is which in a GGUF file, and how it lies there."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig

ARCHITECTURES = {"llama": "llama", "qwen2": "qwen2", "qwen3": "qwen3"}
"""`model_type` of a Hugging Face config, and the architecture of llama.cpp that computes the same."""

_OUTER = {
    "model.embed_tokens.weight": "token_embd.weight",
    "model.norm.weight": "output_norm.weight",
    "lm_head.weight": "output.weight",
}
_INNER = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "self_attn.q_norm": "attn_q_norm",
    "self_attn.k_norm": "attn_k_norm",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
_BLOCK = re.compile(r"model\.layers\.(\d+)\.(.+)\.(weight|bias)")


def gguf_name(name: str) -> str | None:
    """Return the GGUF name of a tensor of `LlamaForCausalLM` or `Qwen[23]ForCausalLM`, None for one it has not."""
    found = _BLOCK.fullmatch(name)
    if found is None:
        return _OUTER.get(name)
    inner = _INNER.get(found[2])
    return f"blk.{found[1]}.{inner}.{found[3]}" if inner else None


def laid_out(name: str, tensor: torch.Tensor, config: PretrainedConfig) -> torch.Tensor:
    """Return a tensor as llama.cpp wants it.

    Hugging Face rotates the first half of a head against the second; llama.cpp's Llama rotates neighbours, so the rows
    of its query and key projections are put pairwise side by side. Qwen stays as it is.
    """
    if config.model_type != "llama" or not (".q_proj." in name or ".k_proj." in name):
        return tensor
    heads = config.num_attention_heads if ".q_proj." in name else config.num_key_value_heads
    halves = tensor.reshape(heads, 2, tensor.shape[0] // heads // 2, *tensor.shape[1:])
    return halves.swapaxes(1, 2).reshape(tensor.shape)
