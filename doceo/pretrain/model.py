"""From the one dial, depth, to a Llama of matching width."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doceo.core.config import PretrainConfig

if TYPE_CHECKING:
    from transformers import LlamaConfig, PreTrainedTokenizerFast

WIDTH_PER_LAYER = 64
"""Aspect ratio: width = 64 x depth, as in nanochat."""
MATRIX_RATE, EMBEDDING_RATE = 0.01, 0.006
"""Peak learning rates of Muon and AdamW. Muon's updates have one size whatever the width, so they fit every depth."""


def llama_config(config: PretrainConfig, tokenizer: PreTrainedTokenizerFast) -> LlamaConfig:
    """Return the architecture: width 64 x depth, heads of 64, a gated feed-forward of 8/3 width, tied embeddings.

    Sizes are multiples of 64, which quantised formats need.
    """
    from transformers import LlamaConfig

    width = WIDTH_PER_LAYER * config.depth
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=-(-width * 8 // 3 // 64) * 64,
        num_hidden_layers=config.depth,
        num_attention_heads=config.depth,
        num_key_value_heads=config.depth,
        max_position_embeddings=config.context,
        rope_theta=10000.0,
        tie_word_embeddings=True,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        use_cache=True,
    )
