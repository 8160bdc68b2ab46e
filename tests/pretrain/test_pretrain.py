"""A really trained model of one layer: deterministic, ordinary, and readable to its last position."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import AutoModelForCausalLM, AutoTokenizer

from doceo.core.config import PretrainConfig, TrainingConfig
from doceo.core.errors import TrainingError
from doceo.pretrain.batches import batches, starts
from doceo.pretrain.loop import run_steps
from doceo.pretrain.model import llama_config, new_model
from doceo.pretrain.objective import Objective
from doceo.pretrain.optimizers import Optimizers
from doceo.pretrain.recipe import Recipe, recipe
from doceo.pretrain.shards import Piece, Shards, build_shards
from doceo.pretrain.tokenizer import save_tokenizer, train_tokenizer
from tests.tiny_base import make_base

TEXTS = [
    "# Ada\n\nAda Lovelace wrote the first program in 1843. " * 8,
    "# Looms\n\nA loom weaves what cards tell it. " * 8,
]
SHAPE = {"depth": 1, "vocab_size": 320, "context": 128, "max_steps": 12, "batch_tokens": 256}
TINY = PretrainConfig.model_validate(SHAPE)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_base(TEXTS, tmp_path_factory.mktemp("base") / "base", **SHAPE).folder


def test_an_ordinary_folder(base: Path) -> None:
    model = AutoModelForCausalLM.from_pretrained(base, use_safetensors=True)
    tokenizer = AutoTokenizer.from_pretrained(base)
    assert type(model).__name__ == "LlamaForCausalLM"
    assert (
        model.generation_config.eos_token_id == tokenizer.eos_token_id == tokenizer.convert_tokens_to_ids("<|im_end|>")
    )
    assert tokenizer.model_max_length == model.config.max_position_embeddings == 128
    assert {"tokenizer.json", "vocab.json", "merges.txt", "tokenizer_config.json"} <= {p.name for p in base.iterdir()}
    ids = tokenizer("Ada " * 60, return_tensors="pt")["input_ids"][:, :128]
    assert torch.isfinite(model(input_ids=ids).logits).all()


def test_equal_seed_equal_bytes_and_the_loss_falls(base: Path, tmp_path: Path) -> None:
    result = make_base(TEXTS, tmp_path / "again", **SHAPE).result
    for name in ("model.safetensors", "tokenizer.json", "vocab.json", "merges.txt", "config.json"):
        assert (tmp_path / "again" / name).read_bytes() == (base / name).read_bytes()
    assert result.steps == 12
    assert result.tokens == 12 * 256
    assert result.loss < np.log(result.vocabulary)
    make_base(TEXTS, tmp_path / "other", **SHAPE, seed=1)
    assert (tmp_path / "other" / "model.safetensors").read_bytes() != (base / "model.safetensors").read_bytes()


def test_a_budget_of_seconds_ends_on_time(tmp_path: Path) -> None:
    config = TINY.model_copy(update={"max_steps": None, "seconds": 5.0})
    made = recipe(config, TrainingConfig(), context=128, width=64, new_llama=True, further=False)
    build_shards([Piece(text) for text in TEXTS], _tokenizer(), tmp_path, held_out_every=20)
    model = new_model(llama_config(config, _tokenizer()), "--depth", device="cpu").train()
    objective, optimizers = Objective(model, half=False), Optimizers(model, made)
    ticks = itertools.count(0.0).__next__
    steps = list(run_steps(model, objective, optimizers, Shards(tmp_path), made, ticks))
    # The clock is read before the first step and after each one.
    assert [step.reached.seconds for step in steps] == [1, 2, 3, 4, 5]
    assert steps[-1].share == 1


def test_cosine_rises_then_falls_to_its_least_share() -> None:
    training = TrainingConfig(warmup=0.1, least_rate=0.05)
    made = recipe(TINY, training, context=128, width=64, new_llama=True, further=False)
    rates = [made.share(n / 100) for n in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert rates[10] == pytest.approx(1.0, abs=1e-3)
    assert rates[55] == pytest.approx(0.05 + 0.95 / 2, abs=1e-9)
    assert rates[100] == pytest.approx(0.05)
    assert rates[11:] == sorted(rates[11:], reverse=True)


def test_what_is_left_out_follows_from_what_is_trained() -> None:
    def made(*, new_llama: bool, further: bool, **given: object) -> Recipe:
        training = TrainingConfig.model_validate(given)
        return recipe(TINY, training, context=128, width=512, new_llama=new_llama, further=further)

    assert made(new_llama=True, further=False).optimizer == "muon"
    other = made(new_llama=False, further=False)
    assert (other.optimizer, other.rate) == ("adamw", pytest.approx(0.0015))
    assert made(new_llama=False, further=True).rate == 1e-4
    assert made(new_llama=True, further=False, optimizer="adamw", learning_rate=0.5).rate == 0.5
    assert made(new_llama=True, further=False).lengths == (128, 128, 128, 128)
    assert made(new_llama=True, further=False, window=32).lengths == (32, 32, 32, 128)


def test_too_little_text(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match="fewer than 64"):
        make_base(["Too short."], tmp_path / "base", **SHAPE)


def test_depth_is_the_only_dial() -> None:
    tokenizer = train_tokenizer(TEXTS, 300, 128)
    shapes = {depth: llama_config(PretrainConfig(depth=depth), tokenizer) for depth in (1, 2, 12)}
    assert [shapes[d].hidden_size for d in (1, 2, 12)] == [64, 128, 768]
    assert [shapes[d].num_attention_heads for d in (1, 2, 12)] == [1, 2, 12]
    assert all(shape.intermediate_size % 64 == 0 for shape in shapes.values())


@settings(max_examples=30)
@given(st.text(max_size=60))
def test_any_text_survives_the_tokenizer(text: str) -> None:
    tokenizer = _tokenizer()
    assert tokenizer.decode(tokenizer.encode(text, add_special_tokens=False)) == text


def test_digits_stand_alone_and_special_tokens_are_whole() -> None:
    tokenizer = _tokenizer()
    assert tokenizer.tokenize("1843") == ["1", "8", "4", "3"]
    assert tokenizer.tokenize("<|im_start|>") == ["<|im_start|>"]


def test_saved_and_opened_tokenizers_agree(tmp_path: Path) -> None:
    tokenizer = _tokenizer()
    save_tokenizer(tokenizer, tmp_path)
    opened = AutoTokenizer.from_pretrained(tmp_path)
    chat = [{"role": "user", "content": "Who?"}, {"role": "assistant", "content": "Ada."}]
    assert opened.apply_chat_template(chat, tokenize=False) == (
        "<|im_start|>user\nWho?<|im_end|>\n<|im_start|>assistant\nAda.<|im_end|>"
    )
    asked = opened.apply_chat_template(chat[:1], tokenize=False, add_generation_prompt=True)
    assert asked == "<|im_start|>user\nWho?<|im_end|>\n<|im_start|>assistant\n"
    vocabulary = json.loads((tmp_path / "vocab.json").read_text())
    assert {token: n for token, n in opened.get_vocab().items() if n in vocabulary.values()} == vocabulary


def test_windows_cover_the_stream_and_a_short_one_is_repeated() -> None:
    where = list(itertools.islice(starts(1000, 10, np.random.default_rng(0)), 2000))
    assert {at + n for at in where for n in range(11)} >= set(range(10, 990))
    assert max(where) + 11 <= 1000
    few = set(itertools.islice(starts(7, 10, np.random.default_rng(0)), 100))
    assert few == {0, 1, 2, 3}, "7 tokens twice hold these windows of 11"


def test_batches_are_the_same_each_time_and_follow_the_lengths() -> None:
    training = TrainingConfig(window=32)
    made = recipe(TINY, training, context=128, width=64, new_llama=True, further=False)
    one, two = batches(5000, made), batches(5000, made)
    for step in range(40):
        (length, here), (other, there) = next(one), next(two)
        assert length == other == (128 if step % 4 == 3 else 32)
        assert len(here) == 256 // length
        assert (here == there).all()
        assert (here + length < 5000).all()


_MADE = []


def _tokenizer() -> object:
    if not _MADE:
        _MADE.append(train_tokenizer(TEXTS, 320, 128))
    return _MADE[0]
