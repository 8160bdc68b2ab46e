"""A byte-level BPE tokenizer made from texts, as an ordinary Hugging Face folder.

Digits stand alone and words are split as GPT-2 does, which is what llama.cpp calls the `smollm` pre-tokenizer, so the
model can be exported to it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from data.disk import disk_errors
from data.jsonl import write_text
from doceo.pretrain.encoding import Encoder
from doceo.text.chat_template import CHATML

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

BEGIN, TURN, END, PAD = "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|pad|>"


def train_tokenizer(texts: Iterable[str], vocab_size: int, context: int) -> PreTrainedTokenizerFast:
    """Return a tokenizer whose merges were learned from the texts; equal texts give equal bytes.

    Args:
        texts: Documents; every byte can be encoded whatever they hold.
        vocab_size: Most tokens of the vocabulary; little text gives fewer.
        context: The longest text the model reads, kept in the tokenizer's settings.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    split = [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.Sequence(split)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[BEGIN, TURN, END, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        bos_token=BEGIN,
        eos_token=END,
        pad_token=PAD,
        additional_special_tokens=[TURN],
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )
    tokenizer.chat_template = CHATML
    return tokenizer


def save_tokenizer(tokenizer: PreTrainedTokenizerFast, folder: Path, *, template_in_config: bool = False) -> None:
    """Write tokenizer.json, tokenizer_config.json, chat_template.jinja and, for older tools, vocab.json and merges.txt.

    Args:
        tokenizer: What to write.
        folder: Where to.
        template_in_config: Write the chat template to tokenizer_config.json as well, where older tools look for it.

    Raises StorageError.
    """
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        tokenizer.save_pretrained(folder)
    if template_in_config:
        config = folder / "tokenizer_config.json"
        settings = json.loads(config.read_text(encoding="utf-8"))
        write_text(config, json.dumps({**settings, "chat_template": tokenizer.chat_template}, indent=2) + "\n")
    bpe = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in bpe["merges"]]
    write_text(folder / "vocab.json", json.dumps(bpe["vocab"], ensure_ascii=False))
    write_text(folder / "merges.txt", "\n".join(["#version: 0.2", *merges, ""]))


def token_count(tokenizer: PreTrainedTokenizerFast, texts: Iterable[str]) -> int:
    """Return how many tokens texts take; a special token's name in them is only text."""
    return sum(map(len, Encoder(tokenizer).encode(list(texts))))


def longest_tokens(tokenizer: PreTrainedTokenizerFast, count: int) -> list[str]:
    """Return the longest tokens that are whole characters, as text; special tokens left out."""
    special = set(tokenizer.all_special_tokens)
    texts = [tokenizer.convert_tokens_to_string([token]) for token in tokenizer.get_vocab() if token not in special]
    return sorted((text for text in texts if "\ufffd" not in text), key=lambda text: (-len(text), text))[:count]
