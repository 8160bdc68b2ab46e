"""The stock command that is printed is one that TRL understands as we mean it."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from doceo.core.config import FinetuneConfig
from finetune.plain_command import plain_command

from .conftest import FACTS, rows, write_rows


def parsed(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[object, ...]:
    from trl import DatasetMixtureConfig, ModelConfig, ScriptArguments, SFTConfig, TrlParser

    monkeypatch.chdir(folder)
    if text.startswith("cat > "):
        name, rest = text.removeprefix("cat > ").split(" <<'END'\n", 1)
        Path(name).write_text(rest.split("\nEND\n")[0] + "\n")
    command = shlex.split(text[text.index("\ntrl sft") :].replace("\\\n", " "))
    assert command[:2] == ["trl", "sft"]
    parser = TrlParser((ScriptArguments, SFTConfig, ModelConfig, DatasetMixtureConfig))
    return tuple(parser.parse_args_and_config(command[2:]))


def test_every_default_is_written_out(
    tiny_base: Path, train_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = plain_command(train_file, None, str(tiny_base), FinetuneConfig(method="dora", seed=3), "out")
    script, sft, model, mixture = parsed(text, tmp_path, monkeypatch)
    assert vars(script)["dataset_name"] is None
    assert vars(vars(mixture)["datasets"][0])["data_files"] == str(train_file)
    got = vars(sft)
    assert (got["learning_rate"], got["num_train_epochs"], got["seed"]) == (2e-3, 6.0, 3)
    assert got["per_device_train_batch_size"] * got["gradient_accumulation_steps"] == 8
    assert got["assistant_only_loss"] is True
    assert got["gradient_checkpointing"] is got.get("activation_checkpointing", False) is False
    assert got["eval_strategy"] == "no"
    chosen = vars(model)
    assert (chosen["lora_r"], chosen["lora_alpha"], chosen["lora_dropout"]) == (64, 128, 0.0)
    assert chosen["lora_target_modules"] == "all-linear"
    assert chosen["use_dora"] is True
    assert chosen["use_rslora"] is False


def test_validation_rows_are_used_where_trl_can_find_them(
    tiny_base: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = {f"{question} {n}": answer for n in range(5) for question, answer in FACTS.items()}
    train = write_rows(tmp_path / "train.jsonl", list(rows(many)))
    validation = write_rows(tmp_path / "validation.jsonl", list(rows(FACTS)))
    text = plain_command(train, validation, str(tiny_base), FinetuneConfig(patience=2), "out")
    script, sft, _, _ = parsed(text, tmp_path, monkeypatch)
    assert vars(script)["dataset_name"] == str(tmp_path)
    assert vars(script)["dataset_test_split"] == "validation"
    assert vars(sft)["load_best_model_at_end"] is True
    text = plain_command(train, None, str(tiny_base), FinetuneConfig(), "out")
    _, sft, _, mixture = parsed(text, tmp_path, monkeypatch)
    assert vars(mixture)["test_split_size"] == 0.05
    assert vars(sft)["eval_strategy"] == "steps"
