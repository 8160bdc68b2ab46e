"""A training's folder, log and figures; stopped anywhere, it is the same in the end."""

from __future__ import annotations

import json
import math
import signal
import time
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from doceo.app import shards as app_shards
from doceo.core.errors import ModelExists, StorageError, UsageError
from doceo.pretrain.shards import Shards
from tests.pretrain.making import SAVING, Cut, Ending, content, cut, lines, made


def test_the_folder_is_an_ordinary_one(model: Path) -> None:
    opened, tokenizer = AutoModelForCausalLM.from_pretrained(model), AutoTokenizer.from_pretrained(model)
    assert opened.config._attn_implementation == "sdpa"
    assert "doceo" not in (model / "config.json").read_text()
    assert opened.generation_config.eos_token_id == tokenizer.eos_token_id
    assert tokenizer.model_max_length == opened.config.max_position_embeddings == 64
    out = opened.generate(**tokenizer("river", return_tensors="pt"), max_new_tokens=5)
    assert out.shape[1] > 2
    files = {path.name for path in model.iterdir()}
    assert {"README.md", "curve.svg", "samples.jsonl", "training.jsonl", "pretraining.json", "manifest.json"} <= files
    assert not files & {"checkpoints", "tokenizer"}
    assert (model / "curve.svg").read_text().lstrip().startswith("<?xml")


def test_log_samples_and_card_tell_what_happened(model: Path) -> None:
    logged = lines(model)
    keys = {"step", "loss", "eval_bits_per_byte", "learning_rate", "tokens", "seconds"}
    assert all(set(line) == keys for line in logged)
    assert [line["step"] for line in logged] == list(range(1, 25))
    assert [line["step"] for line in logged if line["eval_bits_per_byte"] is not None] == [8, 16, 24]
    assert logged[-1]["tokens"] == 24 * 128
    assert logged[-1]["eval_bits_per_byte"] < logged[7]["eval_bits_per_byte"]
    samples = [json.loads(line) for line in (model / "samples.jsonl").read_text().splitlines()]
    assert {sample["step"] for sample in samples} == {8, 16, 24}
    assert len({sample["prompt"] for sample in samples}) > 1
    result = json.loads((model / "pretraining.json").read_text())
    card = (model / "README.md").read_text()
    assert f"| {result['bits_per_byte']:.4f} |" in card
    for digest in result["origin"]["texts"].values():
        assert digest in card
    assert set(result["origin"]["texts"]) == {"books/a.txt", "books/b.txt", "books/c.jsonl"}


def test_bits_per_byte_are_those_computed_by_hand(text: Path, tmp_path: Path) -> None:
    training = {"precision": "fp32", "eval_tokens": 10**6}
    folder = made(text, tmp_path / "m", training=training).folder
    opened, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    (place,) = (tmp_path / ".pretrain").glob("tokens-*")
    shards, nats, size = Shards(place), 0.0, 0
    for one in shards.index.held_out:
        ids = [tokenizer.bos_token_id, *shards.held_out(one).tolist()]
        size += len(tokenizer.decode(ids[1:]).encode())
        for at in range(0, len(ids) - 1, 64):
            window = torch.tensor([ids[at : at + 65]])
            with torch.no_grad():
                logits = opened(window[:, :-1]).logits.double().log_softmax(-1)
            nats -= float(logits.gather(2, window[:, 1:, None]).sum())
    assert size == sum(one.bytes for one in shards.index.held_out)
    measured = lines(folder)[-1]["eval_bits_per_byte"]
    assert measured == pytest.approx(nats / size / math.log(2), rel=1e-5)


def test_a_finished_model_is_measured_on_more_text_than_its_curve(model: Path, text: Path, tmp_path: Path) -> None:
    quarter = made(text, tmp_path / "m", training={"eval_tokens": 64})
    whole = lines(model)[-1]["eval_bits_per_byte"]
    assert quarter.result.bits_per_byte == pytest.approx(whole, abs=1e-4)
    assert abs(lines(quarter.folder)[-1]["eval_bits_per_byte"] - whole) > 1e-3


def test_a_full_disk_is_named_and_the_training_goes_on_afterwards(model: Path, text: Path, tmp_path: Path) -> None:
    resource = pytest.importorskip("resource")
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)

    def fill() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, limit[1]))

    try:
        with pytest.raises(StorageError, match="disk is full"):
            made(text, tmp_path / "m", Ending(9, fill), training=SAVING)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert content(made(text, tmp_path / "m", training=SAVING).folder) == content(model)


@pytest.mark.parametrize("step", [1, 8, 23])
def test_a_training_that_was_cut_off_ends_the_same(model: Path, text: Path, tmp_path: Path, step: int) -> None:
    with pytest.raises(Cut):
        made(text, tmp_path / "cut", Ending(step, cut), training=SAVING)
    assert not (tmp_path / "cut").exists()
    folder = made(text, tmp_path / "cut", training=SAVING).folder
    assert content(folder) == content(model)
    assert lines(folder, "seconds") == lines(model, "seconds")
    assert (folder / "samples.jsonl").read_bytes() == (model / "samples.jsonl").read_bytes()


def test_a_checkpoint_that_was_cut_off_does_not_count(model: Path, text: Path, tmp_path: Path) -> None:
    with pytest.raises(Cut):
        made(text, tmp_path / "cut", Ending(9, cut), training=SAVING)
    checkpoints = tmp_path / ".cut.work" / "checkpoints"
    (kept,) = checkpoints.iterdir()
    torn = checkpoints / f".{kept.name[:-2]}99.tmp"
    torn.mkdir()
    (torn / "model.safetensors").write_bytes(b"half")
    assert content(made(text, tmp_path / "cut", training=SAVING).folder) == content(model)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_first(model: Path, text: Path, tmp_path: Path, number: signal.Signals) -> None:
    class Ended(BaseException):
        pass

    def ended(*_: object) -> None:
        raise Ended

    before = signal.signal(number, ended)
    try:
        with pytest.raises(Ended):
            made(text, tmp_path / "cut", Ending(11, lambda: signal.raise_signal(number)))
        assert signal.getsignal(number) is ended
    finally:
        signal.signal(number, before)
    assert [path.name for path in (tmp_path / ".cut.work" / "checkpoints").iterdir()] == ["step-00000011"]
    folder = made(text, tmp_path / "cut").folder
    assert content(folder) == content(model)


def test_time_that_was_used_counts(text: Path, tmp_path: Path) -> None:
    timed = {"max_steps": None, "seconds": 2.0}
    with pytest.raises(Cut):
        made(text, tmp_path / "timed", Ending(1, cut), pretrain=timed, training=SAVING)
    state = next((tmp_path / ".timed.work" / "checkpoints").iterdir()) / "state.json"
    saved = json.loads(state.read_text())
    state.write_text(json.dumps({**saved, "seconds": 1.9}))
    start = time.monotonic()
    outcome = made(text, tmp_path / "timed", pretrain=timed, training=SAVING)
    assert time.monotonic() - start < 10
    logged = lines(outcome.folder)
    assert logged[-1]["seconds"] >= 2.0
    assert outcome.result.steps > saved["steps"]
    again = [line for line in logged if line["step"] > saved["steps"]]
    assert all(line["seconds"] > 1.9 for line in again)


def test_a_smaller_micro_batch_takes_the_same_steps(model: Path, text: Path, tmp_path: Path) -> None:
    folder = made(text, tmp_path / "small", training={"micro_tokens": 32, "precision": "fp32"}).folder
    whole = made(text, tmp_path / "whole", training={"precision": "fp32"}).folder
    losses = [[line["loss"] for line in lines(one)] for one in (folder, whole)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-4)


def test_a_finished_model_is_kept(model: Path, text: Path) -> None:
    outcome = made(text, model)
    assert outcome.unchanged
    assert outcome.result.steps == 24
    with pytest.raises(ModelExists, match="finished"):
        made(text, model, pretrain={"seed": 5})


def test_force_replaces_and_another_command_does_not_drop_what_was_stopped(text: Path, tmp_path: Path) -> None:
    with pytest.raises(Cut):
        made(text, tmp_path / "m", Ending(9, cut), training=SAVING)
    with pytest.raises(ModelExists, match="can still go on"):
        made(text, tmp_path / "m", pretrain={"seed": 5})
    first = content(made(text, tmp_path / "m", pretrain={"seed": 5}, force=True).folder)
    second = content(made(text, tmp_path / "m", force=True).folder)
    assert first["model.safetensors"] != second["model.safetensors"]


def test_shards_are_made_once_for_the_same_text(text: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokenizer = made(text, tmp_path / "one").folder
    places = set((tmp_path / ".pretrain").glob("tokens-*"))
    monkeypatch.setattr(app_shards, "_pieces", lambda corpus: pytest.fail("the text was read again"))
    made(text, tmp_path / "two", tokenizer=str(tokenizer), pretrain={"seed": 7})
    assert set((tmp_path / ".pretrain").glob("tokens-*")) == places
    monkeypatch.undo()
    (tmp_path / "books").mkdir()
    (tmp_path / "books" / "a.txt").write_text((text / "a.txt").read_text() + "\n\nOne more line.")
    made(tmp_path / "books", tmp_path / "three", tokenizer=str(tokenizer))
    assert len(set((tmp_path / ".pretrain").glob("tokens-*"))) == 2


def test_options_that_exclude_each_other(text: Path, model: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--from"):
        made(text, tmp_path / "m", further=str(model), tokenizer=str(model))
    with pytest.raises(UsageError, match="stdin"):
        made(Path("-"), tmp_path / "m")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter.txt").touch()
    with pytest.raises(UsageError, match="holds other files"):
        made(text, tmp_path / "full")
