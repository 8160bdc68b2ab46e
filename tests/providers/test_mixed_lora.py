"""Rows of one batch through their own adapters: the same numbers as PEFT's own way gives."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM

from doceo.providers.mixed_lora import mixed, mixes

ROWS = ["one", "one", "two", None, "three"]


def _config(**more: Any) -> LoraConfig:
    return LoraConfig(**{"r": 4, "target_modules": "all-linear", "init_lora_weights": False, **more})


@pytest.fixture(scope="module")
def model() -> PeftModel:
    """Three adapters of different ranks, scalings and layers."""
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=50, hidden_size=24, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2
    )
    made = get_peft_model(LlamaForCausalLM(config), _config(), adapter_name="one")
    made.add_adapter("two", _config(r=8, lora_alpha=3, use_rslora=True))
    made.add_adapter("three", _config(target_modules=["q_proj", "down_proj"]))
    return made.eval()


def test_rows_are_what_peft_makes_of_them(model: PeftModel) -> None:
    ids = torch.randint(0, 50, (len(ROWS), 7))
    with torch.inference_mode():
        model.set_adapter("one")
        expected = model(ids, adapter_names=[name or "__base__" for name in ROWS]).logits
        with mixed(model, ROWS):
            found = model(ids).logits
        again = model(ids[:2]).logits
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(again, expected[:2], rtol=1e-5, atol=1e-5)
    assert len({tuple(row.flatten().tolist()) for row in found}) == len(ROWS)


def test_nothing_is_left_on_the_model_where_a_pass_fails(model: PeftModel) -> None:
    ids = torch.randint(0, 50, (2, 7))
    with torch.inference_mode():
        model.set_adapter("one")
        before = model(ids).logits
        with pytest.raises(RuntimeError, match="given 2 rows of 5"), mixed(model, ROWS):
            model(ids)
        torch.testing.assert_close(model(ids).logits, before)


@pytest.mark.parametrize(
    ("more", "plain"),
    [
        ({}, True),
        ({"use_rslora": True}, True),
        ({"use_dora": True}, False),
        ({"bias": "lora_only"}, False),
        ({"modules_to_save": ["lm_head"], "target_modules": ["q_proj"]}, False),
        ({"target_modules": ["embed_tokens", "q_proj"]}, False),
    ],
)
def test_only_plain_adapters_of_linear_layers_are_mixed(more: dict[str, Any], plain: bool) -> None:
    config = LlamaConfig(
        vocab_size=50, hidden_size=24, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2
    )
    assert mixes(get_peft_model(LlamaForCausalLM(config), _config(**more), adapter_name="own"), "own") is plain
