"""A byte-level BPE tokenizer as a GGUF file holds it: tokens with types, merges, special ids, the splitting's name."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from gguf import GGUFWriter
    from transformers import PreTrainedTokenizerBase

_CONTRACTIONS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|"
_REST = r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
SPLITS = {
    _CONTRACTIONS + r"\p{N}" + _REST: "qwen2",
    _CONTRACTIONS + r"\p{N}{1,3}" + _REST: "llama-bpe",
}
"""Pattern by which text is split before merging, and llama.cpp's name for it."""
_MARK = re.compile(r"(\{#.*?#\})|\{%([-+]?)\s*(?:end)?generation\s*([-+]?)%\}", re.DOTALL)
NORMAL, CONTROL, USER_DEFINED, UNUSED = 1, 3, 4, 5
"""Token types of GGUF."""


class Vocabulary(NamedTuple):
    """A tokenizer as GGUF states it; `tokens` and `types` have one entry for each row of the embedding."""

    tokens: list[str]
    types: list[int]
    merges: list[str]
    split: str
    special: dict[str, int]
    add_bos: bool
    add_eos: bool
    template: str


def split_name(tokenizer: PreTrainedTokenizerBase) -> str | None:
    """Return llama.cpp's name of how a tokenizer splits text before merging, None where it has none for it."""
    whole = _definition(tokenizer)
    model, before = whole.get("model", {}), whole.get("pre_tokenizer") or {}
    if model.get("type") != "BPE" or model.get("byte_fallback") or model.get("continuing_subword_prefix"):
        return None
    parts = before.get("pretokenizers", [before])
    last = parts[-1]
    if last.get("type") != "ByteLevel" or last.get("add_prefix_space"):
        return None
    if last.get("use_regex", True):
        kinds = [(part.get("type"), part.get("individual_digits")) for part in parts[:-1]]
        return {(): "gpt-2", (("Digits", True),): "smollm"}.get(tuple(kinds))
    pattern = parts[0].get("pattern", {}).get("Regex") if len(parts) == 2 else None
    return SPLITS.get(pattern or "")


def vocabulary(tokenizer: PreTrainedTokenizerBase, rows: int, ends: list[int]) -> Vocabulary:
    """Return a tokenizer in GGUF's terms.

    Args:
        tokenizer: One for which `split_name` gives a name.
        rows: Rows of the model's embedding; ids beyond the tokenizer's become unused tokens.
        ends: Ids that end an answer.
    """
    model = _definition(tokenizer)["model"]
    tokens = [f"[PAD{n}]" for n in range(rows)]
    types = [UNUSED] * rows
    for text, number in model["vocab"].items():
        tokens[number], types[number] = text, NORMAL
    for number, added in tokenizer.added_tokens_decoder.items():
        tokens[number], types[number] = added.content, CONTROL if added.special else USER_DEFINED
    end = tokenizer.eos_token_id
    special = {"bos": tokenizer.bos_token_id, "eos": end, "pad": tokenizer.pad_token_id, "unk": tokenizer.unk_token_id}
    others = [number for number in ends if number != end]
    special |= dict(zip(("eot", "eom"), others, strict=False))
    plain: list[int] = tokenizer("a")["input_ids"]
    return Vocabulary(
        tokens,
        types,
        [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]],
        split_name(tokenizer) or "",
        {name: int(number) for name, number in special.items() if number is not None},
        add_bos=adds_bos(tokenizer),
        add_eos=plain[-1] == end,
        template=plain_template(str(tokenizer.chat_template)),
    )


def adds_bos(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Return whether a tokenizer puts the token that begins a text before every text."""
    ids: list[int] = tokenizer("a")["input_ids"]
    return bool(ids[0] == tokenizer.bos_token_id)


def plain_template(template: str) -> str:
    """Return a chat template without its `{% generation %}` marks, which only training needs and llama.cpp refuses.

    A comment takes the place of each, so that white space is trimmed as before; comments that name one stay.
    """
    return _MARK.sub(lambda mark: mark[1] or f"{{#{mark[2]} {mark[3]}#}}", template)


def add_vocabulary(writer: GGUFWriter, made: Vocabulary) -> None:
    """Write a vocabulary to an open file."""
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(made.split)
    writer.add_token_list(made.tokens)
    writer.add_token_types(made.types)
    writer.add_token_merges(made.merges)
    for name, number in made.special.items():
        writer.add_uint32(_SPECIAL[name], number)
    writer.add_add_bos_token(made.add_bos)
    writer.add_add_eos_token(made.add_eos)
    writer.add_chat_template(made.template)


_SPECIAL = {
    "bos": "tokenizer.ggml.bos_token_id",
    "eos": "tokenizer.ggml.eos_token_id",
    "pad": "tokenizer.ggml.padding_token_id",
    "unk": "tokenizer.ggml.unknown_token_id",
    "eot": "tokenizer.ggml.eot_token_id",
    "eom": "tokenizer.ggml.eom_token_id",
}


def _definition(tokenizer: PreTrainedTokenizerBase) -> dict[str, Any]:
    """Return what tokenizer.json holds; empty for a tokenizer without one."""
    backend = getattr(tokenizer, "backend_tokenizer", None)
    return dict(json.loads(backend.to_str())) if backend is not None else {}
