"""What is trained: a Llama that one dial sizes, or whatever a config file describes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from doceo.core.config import PretrainConfig
from doceo.core.errors import InputError
from doceo.providers.hf_models import quiet

if TYPE_CHECKING:
    from transformers import LlamaConfig, PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

WIDTH_PER_LAYER = 64
"""Aspect ratio: width = 64 x depth, as in nanochat."""
_ROUNDING = 1e-4
"""Relative change of logits that is no more than rounding."""


def llama_config(config: PretrainConfig, tokenizer: PreTrainedTokenizerBase) -> LlamaConfig:
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


def file_vocabulary(file: Path) -> int | None:
    """Return the vocabulary size that a config file names, if it does. Raises InputError."""
    size = _described(file).get("vocab_size")
    return size if isinstance(size, int) else None


def file_config(file: Path, tokenizer: PreTrainedTokenizerBase) -> PreTrainedConfig:
    """Return the architecture of a `config.json`, with the tokenizer's vocabulary and special tokens.

    Raises InputError where the file is not JSON, names no known architecture or holds values that it cannot have.
    """
    from huggingface_hub.errors import StrictDataclassError
    from transformers import AutoConfig

    described = _described(file)
    kind = described.pop("model_type", None)
    if not isinstance(kind, str):
        raise InputError(f"{file} names no model_type.", hint='Such as "model_type": "llama"; see its config.json.')
    described |= {
        "vocab_size": len(tokenizer),
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    try:
        with quiet():
            return AutoConfig.for_model(kind, **described)
    except (ValueError, KeyError, TypeError, AttributeError, StrictDataclassError) as error:
        raise unusable(file, error) from error


def new_model(config: PreTrainedConfig, source: str, *, device: str) -> PreTrainedModel:
    """Return a model with random weights in float32; `meta` as device gives its shape alone.

    Raises InputError naming `source` where the architecture is no causal language model, or its sizes do not fit.
    """
    import torch
    from transformers import AutoModelForCausalLM

    try:
        with quiet(), torch.device("meta" if device == "meta" else "cpu"):
            model = AutoModelForCausalLM.from_config(config, dtype=torch.float32, trust_remote_code=False)
    except (ValueError, KeyError, TypeError, AttributeError, RuntimeError, ImportError, ZeroDivisionError) as error:
        raise unusable(source, error) from error
    return model if device in ("meta", "cpu") else model.to(device)


def check_usable(model: PreTrainedModel, tokens: int, source: str) -> None:
    """Raise InputError where a model has no place for so many tokens, or sees the tokens that it is to predict."""
    import torch

    rows = model.get_input_embeddings().weight.shape[0]
    if tokens > rows:
        raise InputError(
            f"The tokenizer has {tokens:,} tokens, and {source} has room for {rows:,} only.",
            hint="Name the tokenizer that belongs to the model, or a model that belongs to the tokenizer.",
        )
    ids = torch.arange(8, device=model.device)[None] % rows
    other = ids.clone()
    other[0, -1] = rows - 1
    training = model.training
    model.eval()
    with torch.no_grad():
        before, after = (model(input_ids=given, use_cache=False).logits[0, :-1].float() for given in (ids, other))
    model.train(training)
    if float((before - after).norm()) > _ROUNDING * float(before.norm()):
        raise InputError(
            f"{source} is no causal language model: what it says at a place depends on what stands after it.",
            hint='Name another architecture, such as "model_type": "llama"; BERT and its kin need "is_decoder": true.',
        )


def context_of(config: PreTrainedConfig, wanted: int) -> int:
    """Return how many tokens a model is trained to read: as many as wanted, but not more than it can."""
    text = config.get_text_config()
    most = getattr(text, "max_position_embeddings", None) or getattr(text, "max_seq_len", None) or wanted
    return int(min(wanted, most))


def _described(file: Path) -> dict[str, object]:
    try:
        described = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # JSON and UTF-8 errors are both ValueErrors
        raise InputError(f"{file} cannot be read as a config: {error}.", hint="Name a model's config.json.") from error
    if not isinstance(described, dict):
        raise InputError(f"{file} is not a JSON object.", hint="Name a model's config.json.")
    for key in ("auto_map", "torch_dtype", "dtype", "architectures", "transformers_version", "quantization_config"):
        described.pop(key, None)
    return described


def unusable(source: object, error: Exception) -> InputError:
    """Return what a library's error means for somebody who named an architecture."""
    words = " ".join(str(error).split())[:240]
    return InputError(
        f"{source} does not describe a model that can be trained here: {words}",
        hint="It has to be the config of a causal language model of transformers whose sizes fit one another.",
    )
