"""Tiny random models of the families that are exported, with a trained tokenizer and an adapter that does something."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, get_peft_model
from tokenizers import Regex, pre_tokenizers
from transformers import AutoModelForCausalLM, LlamaConfig, PreTrainedTokenizerFast, Qwen2Config, Qwen3Config

from doceo.pretrain.tokenizer import train_tokenizer
from finetune.export.gguf_tokenizer import SPLITS
from finetune.export.probes import PROBES

FAMILIES: dict[str, tuple[type[Any], dict[str, object]]] = {
    "llama": (LlamaConfig, {"tie_word_embeddings": True}),
    "qwen2": (Qwen2Config, {"tie_word_embeddings": False}),
    "qwen3": (Qwen3Config, {"tie_word_embeddings": True, "head_dim": 32}),
}
TEXTS = [message.content for talk in PROBES for message in talk] * 3


def tiny_tokenizer(split: str = "smollm") -> PreTrainedTokenizerFast:
    """Return a byte-level BPE tokenizer of 420 tokens that splits text as llama.cpp's `split` does."""
    tokenizer = train_tokenizer(TEXTS, 420, 512)
    if split != "smollm":
        pattern = next(pattern for pattern, name in SPLITS.items() if name == split)
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [
                pre_tokenizers.Split(Regex(pattern), "isolated"),
                pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
            ]
        )
    return tokenizer


def tiny_model(family: str, tokenizer: PreTrainedTokenizerFast, **more: object) -> Any:
    """Return a random model of two layers whose norms and biases are no ones and zeros."""
    kind, own = FAMILIES[family]
    sizes = {
        "vocab_size": len(tokenizer) + 4,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": 512,
        "initializer_range": 0.2,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(kind(**(sizes | own | more)))
    with torch.no_grad():
        for name, value in model.named_parameters():
            if value.ndim == 1:
                value.normal_(1.0 if "norm" in name else 0.0, 0.2)
    return model.eval()


def tiny_adapter(folder: Path, family: str, split: str = "smollm", **lora: object) -> Path:
    """Write a model to `folder/base` and an adapter with weights that are not zero to `folder/adapter`."""
    tokenizer = tiny_tokenizer(split)
    model = tiny_model(family, tokenizer)
    model.save_pretrained(folder / "base")
    tokenizer.save_pretrained(folder / "base")
    settings = {"r": 4, "lora_alpha": 8, "target_modules": "all-linear", "task_type": "CAUSAL_LM"} | lora
    adapted = get_peft_model(AutoModelForCausalLM.from_pretrained(folder / "base"), LoraConfig(**settings))
    torch.manual_seed(1)
    with torch.no_grad():
        for name, value in adapted.named_parameters():
            if "lora_B" in name:
                value.normal_(0.0, 0.1)
    adapted.save_pretrained(folder / "adapter", save_embedding_layers=False)
    return folder / "adapter"
