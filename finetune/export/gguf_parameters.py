"""The sizes and constants of a Llama or Qwen model as a GGUF file states them, and what such a file cannot state."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from finetune.export.gguf_names import ARCHITECTURES

if TYPE_CHECKING:
    import torch
    from gguf import GGUFWriter
    from transformers import PretrainedConfig

ROPE_TYPES = ("default", "linear", "llama3", "yarn")


def not_expressible(config: PretrainedConfig) -> str:
    """Return why a model cannot be written here, in words that complete `... cannot be written:`, or an empty text."""
    if config.model_type not in ARCHITECTURES:
        return f"it is of the {config.model_type} family; those written here are {', '.join(ARCHITECTURES)}"
    if config.hidden_act != "silu":
        return f"its activation is {config.hidden_act}, and llama.cpp takes silu"
    layers = getattr(config, "layer_types", None) or ()
    if getattr(config, "use_sliding_window", False) or any(kind != "full_attention" for kind in layers):
        return "some of its layers attend to a sliding window"
    rope = _rope(config)
    if rope["rope_type"] not in ROPE_TYPES or (rope["rope_type"] == "llama3" and config.model_type != "llama"):
        return f"its positions are scaled by {rope['rope_type']}"
    odd = {"attention_factor", "mscale", "mscale_all_dim", "truncate"} & {k for k, v in rope.items() if v is not None}
    if odd or rope.get("partial_rotary_factor", 1.0) != 1.0:
        return f"its positions use {', '.join(sorted(odd)) or 'partial_rotary_factor'}"
    return ""


def add_parameters(writer: GGUFWriter, config: PretrainedConfig, context: int) -> None:
    """Write sizes, norms and positions.

    Args:
        writer: The open file.
        config: The model's.
        context: Tokens that it can read.
    """
    head = _head_size(config)
    writer.add_context_length(context)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(head)
    writer.add_value_length(head)
    writer.add_rope_dimension_count(head)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_vocab_size(config.vocab_size)
    _add_positions(writer, config)


def rope_factors(config: PretrainedConfig) -> torch.Tensor | None:
    """Return by what each frequency of a head is divided, float32 of shape (head / 2,), where it is not one number.

    The values are those that transformers computes for Llama 3.1's scaling.
    """
    rope = _rope(config)
    if rope["rope_type"] != "llama3":
        return None
    import torch
    from transformers.modeling_rope_utils import ROPE_INIT_FUNCTIONS

    scaled, _ = ROPE_INIT_FUNCTIONS["llama3"](config, torch.device("cpu"))
    head = _head_size(config)
    plain = 1.0 / rope["rope_theta"] ** (torch.arange(0, head, 2, dtype=torch.float32) / head)
    factors: torch.Tensor = (plain / scaled).float()
    return factors


def _add_positions(writer: GGUFWriter, config: PretrainedConfig) -> None:
    from gguf import RopeScalingType

    rope = _rope(config)
    writer.add_rope_freq_base(rope["rope_theta"])
    if rope["rope_type"] == "linear":
        writer.add_rope_scaling_type(RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(rope["factor"])
    if rope["rope_type"] == "yarn":
        writer.add_rope_scaling_type(RopeScalingType.YARN)
        writer.add_rope_scaling_factor(rope["factor"])
        writer.add_rope_scaling_orig_ctx_len(rope["original_max_position_embeddings"])
        writer.add_rope_scaling_yarn_beta_fast(rope.get("beta_fast") or 32.0)
        writer.add_rope_scaling_yarn_beta_slow(rope.get("beta_slow") or 1.0)


def _rope(config: PretrainedConfig) -> dict[str, Any]:
    return {"rope_type": "default", "rope_theta": 10000.0} | dict(config.rope_parameters or {})


def _head_size(config: PretrainedConfig) -> int:
    return int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)
