"""The answers that are shown while a model is trained."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from transformers import LlamaConfig, LlamaForCausalLM

from doceo.core.progress import Silent
from finetune.samples import Asked, Samples
from finetune.stopping import Stop

from .chat_templates import FAMILIES, tokenizer_for


def test_an_answer_stops_where_a_turn_ends(tmp_path: Path) -> None:
    """A model says the token after the one it read: its turn ends, and what it would say behind is not written."""
    tokenizer = tokenizer_for(FAMILIES["llama-3"].template)
    end = int(tokenizer.convert_tokens_to_ids("<|eot_id|>"))
    assert end != tokenizer.eos_token_id
    tokenizer.pad_token = tokenizer.eos_token
    said, more = map(int, tokenizer.convert_tokens_to_ids(["a", "b"]))
    model = _following({said: end, end: more, more: more}, len(tokenizer))
    samples = Samples(tmp_path / "samples.jsonl", [Asked([said], "Who?", "Nobody.")], tokenizer, Silent(), Stop())
    arguments: Any = SimpleNamespace(global_step=3)
    samples.on_evaluate(arguments, arguments, arguments, model=model)
    assert samples.lines == [{"step": 3, "question": "Who?", "reference": "Nobody.", "answer": ""}]
    assert model.generation_config.eos_token_id is None  # it is not the model that knows


def _following(next_of: dict[int, int], words: int) -> LlamaForCausalLM:
    """Return a model without layers that answers each token by another."""
    width = words + words % 2
    sizes = {"hidden_size": width, "intermediate_size": 8, "num_hidden_layers": 0, "num_attention_heads": 1}
    config = LlamaConfig(vocab_size=words, bos_token_id=None, eos_token_id=None, **sizes)
    model = LlamaForCausalLM(config)
    with torch.no_grad():
        model.model.embed_tokens.weight.copy_(torch.eye(words, width))
        model.lm_head.weight.zero_()
        for before, after in next_of.items():
            model.lm_head.weight[after, before] = 1.0
    return model
