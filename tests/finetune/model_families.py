"""Tiny random models of the families that guides for beginners name, as folders that transformers opens."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoModelForCausalLM, PreTrainedTokenizerFast

from .chat_templates import FAMILIES

CONTEXT = 192
"""A short one: longer rows have to be left out, not run into the model's end."""
_TEXTS = ["What is a chunk? A chunk is a passage of a document.", "The ledger counts every pair.", "User: Answer:"]
_END = "<|endoftext|>"


def _gpt2(vocabulary: int) -> Any:
    from transformers import GPT2Config

    return GPT2Config(vocab_size=vocabulary, n_positions=CONTEXT, n_embd=32, n_layer=2, n_head=4)


def _gpt_neo(vocabulary: int) -> Any:
    from transformers import GPTNeoConfig

    return GPTNeoConfig(
        vocab_size=vocabulary,
        max_position_embeddings=CONTEXT,
        hidden_size=32,
        num_layers=2,
        num_heads=4,
        attention_types=[[["global", "local"], 1]],
    )


def _mpt(vocabulary: int) -> Any:
    from transformers import MptConfig

    return MptConfig(vocab_size=vocabulary, max_seq_len=CONTEXT, d_model=32, n_layers=2, n_heads=4)


def _falcon(vocabulary: int) -> Any:
    from transformers import FalconConfig

    return FalconConfig(
        vocab_size=vocabulary,
        max_position_embeddings=CONTEXT,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        alibi=False,
    )


def _like_llama(name: str) -> Callable[[int], Any]:
    def config(vocabulary: int) -> Any:
        from transformers import AutoConfig

        return AutoConfig.for_model(
            name,
            vocab_size=vocabulary,
            max_position_embeddings=CONTEXT,
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=2,
            num_attention_heads=4,
            num_key_value_heads=2,
            head_dim=8,
        )

    return config


_CONFIGS: dict[str, Callable[[int], Any]] = {
    "gpt2": _gpt2,
    "gpt-neo": _gpt_neo,
    "mpt": _mpt,
    "falcon": _falcon,
    "open-llama": _like_llama("llama"),
    "llama-3": _like_llama("llama"),
    "qwen-2.5": _like_llama("qwen2"),
    "qwen-3": _like_llama("qwen3"),
}
MODELS = tuple(_CONFIGS)


def make_model(name: str, folder: Path) -> Path:
    """Save a model of a family, two layers of width 32, with a tokenizer as the family ships it; return the folder."""
    tokenizer = _tokenizer(name)
    torch.manual_seed(0)
    config = _CONFIGS[name](len(tokenizer))
    for key in ("bos", "eos", "pad"):
        setattr(config, f"{key}_token_id", getattr(tokenizer, f"{key}_token_id"))
    model = AutoModelForCausalLM.from_config(config)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _tokenizer(name: str) -> PreTrainedTokenizerFast:
    """Return a tokenizer: without a template and padding for the older families, one token for begin and end."""
    template = FAMILIES[name].template if name in FAMILIES else None
    marks = [mark for mark in ("<|im_start|>", "<|im_end|>") if template and mark in template]
    marks += [mark for mark in ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>") if name == "llama-3"]
    begin, end = ("<s>", "</s>") if name == "open-llama" else (_END, _END)
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    bpe.train_from_iterator(
        _TEXTS,
        trainers.BpeTrainer(
            vocab_size=400,
            special_tokens=list(dict.fromkeys([begin, end, *marks])),
            initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
            show_progress=False,
        ),
    )
    if name == "open-llama":
        bpe.post_processor = processors.TemplateProcessing(
            single=f"{begin} $A", special_tokens=[(begin, bpe.token_to_id(begin))]
        )
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        bos_token=begin,
        eos_token="<|im_end|>" if name == "qwen-3" else end,
        additional_special_tokens=marks,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = template
    return tokenizer
