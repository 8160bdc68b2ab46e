"""Any architecture is trained, from nothing and further; what cannot be is refused in words."""

from __future__ import annotations

import itertools
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from doceo.core.config import PretrainConfig, TrainingConfig
from doceo.core.errors import InputError, TrainingError
from doceo.pretrain import start as starting
from doceo.pretrain.estimate import probe
from doceo.pretrain.objective import Objective
from doceo.pretrain.recipe import recipe
from tests.pretrain.making import lines, made

GPT2 = {"model_type": "gpt2", "n_embd": 32, "n_layer": 1, "n_head": 2, "n_positions": 48, "vocab_size": 310}
LLAMA = {
    "model_type": "llama", "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1,
    "num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 128, "vocab_size": 99_999,
}  # fmt: skip


@pytest.mark.parametrize("described", [GPT2, LLAMA], ids=["gpt2", "llama"])
def test_any_config_is_trained_and_trained_further(described: dict[str, Any], text: Path, tmp_path: Path) -> None:
    file = tmp_path / "config.json"
    file.write_text(json.dumps({**described, "auto_map": {"AutoModel": "evil.Model"}}))
    outcome = made(text, tmp_path / "new", config=file)
    assert outcome.result.vocabulary == 320
    opened = AutoModelForCausalLM.from_pretrained(outcome.folder)
    assert opened.config.model_type == described["model_type"]
    assert opened.config.hidden_size == 32
    first = lines(outcome.folder)
    further = made(text, tmp_path / "further", further=str(outcome.folder), training={"learning_rate": 1e-3})
    on = lines(further.folder)
    assert on[0]["loss"] < first[0]["loss"] - 0.3, "it starts from the trained weights"
    assert on[-1]["eval_bits_per_byte"] < first[-1]["eval_bits_per_byte"]
    assert json.loads((further.folder / "pretraining.json").read_text())["origin"]["further"] == "new"
    assert (further.folder / "tokenizer.json").read_bytes() == (outcome.folder / "tokenizer.json").read_bytes()


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("not json", "cannot be read as a config"),
        ('["a list"]', "not a JSON object"),
        ('{"hidden_size": 3}', "names no model_type"),
        ('{"model_type": "nonesuch"}', "nonesuch"),
        ('{"model_type": "vit"}', "does not describe a model"),
        (json.dumps({**LLAMA, "num_key_value_heads": 3}), "does not describe a model"),
        (json.dumps({**LLAMA, "hidden_size": "32"}), "does not describe a model"),
        (json.dumps({**LLAMA, "model_type": "bert"}), "no causal language model"),
    ],
)
def test_a_wrong_config_is_named(written: str, said: str, text: Path, model: Path, tmp_path: Path) -> None:
    file = tmp_path / "wrong.json"
    file.write_text(written)
    with pytest.raises(InputError, match=said) as refused:
        made(text, tmp_path / "m", config=file, tokenizer=str(model))
    assert "wrong.json" in refused.value.message


def test_a_tokenizer_that_is_larger_than_the_model_is_refused(text: Path, model: Path, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    shutil.copytree(model, folder)
    opened = AutoModelForCausalLM.from_pretrained(model)
    opened.resize_token_embeddings(300)
    opened.save_pretrained(folder)
    with pytest.raises(InputError, match=r"The tokenizer has 320 tokens, and .*small has room for 300 only"):
        made(text, tmp_path / "m", further=str(folder))


def test_a_slow_step_is_timed_once() -> None:
    opened = AutoModelForCausalLM.from_config(AutoConfig.for_model(**LLAMA | {"vocab_size": 320}))
    steps = recipe(PretrainConfig(), TrainingConfig(), context=64, width=32, new_llama=True, further=False)
    slow = itertools.count(0, 10).__next__
    # Three looks at the clock: ten seconds for both passes, ten for the optimizer's step.
    assert probe(opened, Objective(opened, half=False), steps, clock=slow) == pytest.approx(512 / (10 + 10))
    assert slow() == 30


def test_the_probe_leaves_every_weight_as_it_is() -> None:
    torch.manual_seed(0)
    opened = AutoModelForCausalLM.from_config(AutoConfig.for_model(**LLAMA | {"vocab_size": 320}))
    before = {name: tensor.clone() for name, tensor in opened.state_dict().items()}
    chance = torch.get_rng_state()
    settings = PretrainConfig(batch_tokens=128)
    steps = recipe(settings, TrainingConfig(), context=64, width=32, new_llama=True, further=False)
    assert probe(opened, Objective(opened, half=False), steps) > 0
    assert all(torch.equal(tensor, before[name]) for name, tensor in opened.state_dict().items())
    assert torch.equal(torch.get_rng_state(), chance)
    assert all(parameter.grad is None for parameter in opened.parameters())


def test_what_does_not_fit_is_refused_before_it_starts(
    text: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(starting, "free_memory", lambda device: int(1.2e9))
    with pytest.raises(TrainingError, match=r"680M parameters needs about .* GB of memory; 1.2 GB are free") as refused:
        made(text, tmp_path / "m", tokenizer=str(model), pretrain={"depth": 24})
    assert "--preset 5m would fit" in refused.value.hint
    # A tenth of the tokens at once fits where all of them do not.
    monkeypatch.setattr(starting, "free_memory", lambda device: int(6.58e8))
    monkeypatch.setattr(starting, "probe", lambda *_: 1.0)
    folder = made(text, tmp_path / "m", tokenizer=str(model), pretrain={"batch_tokens": 4096, "max_steps": 1}).folder
    assert 64 <= json.loads((folder / "pretraining.json").read_text())["recipe"]["micro_tokens"] < 2048
