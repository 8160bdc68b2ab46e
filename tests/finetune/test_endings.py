"""How a training ends: at its last step, early, in a number that is none; and what is left of it each time."""

from __future__ import annotations

import errno
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from typer.testing import CliRunner

from data.lock import writing
from doceo.app.stages.adapter import Manner, train_on_file
from doceo.cli.main import app
from doceo.core.config import FinetuneConfig
from doceo.core.errors import AdapterExists, DoceoError, OutOfMemory, StorageError, TrainingError, UsageError
from doceo.core.progress import Silent
from finetune.failures import mapped
from finetune.lora import finetune

from .conftest import FACTS, rows, write_rows

QUICK = FinetuneConfig(rank=4, alpha=8, epochs=2, batch_size=3, save_steps=1, learning_rate=1e-2, sample_answers=0)
WEIGHTS = "adapter_model.safetensors"


class Impatient(Silent):
    """Ends the command when the training is over and its result is told of, as a kill while it is measured would."""

    def say(self, line: str) -> None:
        if line.startswith("General text"):
            raise KeyboardInterrupt


def train(file: Path, out: Path, base: Path, config: FinetuneConfig = QUICK, **how: Any) -> Path:
    """Train on a file; `progress`, `validation`, and what belongs to the manner, may be given."""
    progress, validation = how.pop("progress", Silent()), how.pop("validation", None)
    return train_on_file(file, out, str(base), config, progress, Manner(**how), validation=validation)


def log(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) | {"seconds": 0} for line in (folder / "training.jsonl").read_text().splitlines()]


PATIENT = pytest.param({"epochs": 9, "patience": 1, "learning_rate": 0.05}, marks=pytest.mark.slow)


@pytest.mark.parametrize("change", [{"epochs": 1.5}, PATIENT], ids=str)
def test_what_was_over_takes_no_step_more(
    change: dict[str, float], tiny_base: Path, train_file: Path, tmp_path: Path
) -> None:
    """A training that is stopped while its result is measured has a checkpoint of its last step."""
    wrong = write_rows(tmp_path / "wrong.jsonl", list(rows({q: "zebra quartz 9876 lynx" for q in FACTS})))
    config = QUICK.model_copy(update=change)
    whole = train(train_file, tmp_path / "whole", tiny_base, config, validation=wrong)
    with pytest.raises(KeyboardInterrupt):
        train(train_file, tmp_path / "cut", tiny_base, config, validation=wrong, progress=Impatient())
    cut = train(train_file, tmp_path / "cut", tiny_base, config, validation=wrong, resume=True)
    assert (cut / WEIGHTS).read_bytes() == (whole / WEIGHTS).read_bytes()
    assert log(cut) == log(whole)
    records = [json.loads((folder / "finetuning.json").read_text()) for folder in (cut, whole)]
    assert len({(r["steps"], r["epochs"], r["best_step"], r["tokens"]) for r in records}) == 1
    assert not (cut / "checkpoints").exists()
    assert (cut / WEIGHTS).stat().st_mode == (cut / "adapter_config.json").stat().st_mode


def test_numbers_that_run_away_end_the_training_before_they_are_saved(
    tiny_base: Path, train_file: Path, tmp_path: Path
) -> None:
    wild = QUICK.model_copy(update={"learning_rate": 1e30, "epochs": 9.0})
    with pytest.raises(TrainingError, match=r"is not a number any more at step [2-4],") as caught:
        train(train_file, tmp_path / "out", tiny_base, wild)
    work = tmp_path / ".out.work"
    kept = max((work / "checkpoints").glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))
    assert str(kept) in caught.value.hint
    assert all(bool(torch.isfinite(weight).all()) for weight in load_file(kept / WEIGHTS).values())
    assert all(line["loss"] < 1e9 for line in log(work))
    # Another rate is another training, which does not drop what is kept without being told to.
    with pytest.raises(AdapterExists, match=r"--learning-rate was 1e\+30, is 0\.01"):
        train(train_file, tmp_path / "out", tiny_base)
    train(train_file, tmp_path / "out", tiny_base, force=True)


def test_the_validation_loss_does_not_depend_on_the_rows_at_once(
    tiny_base: Path, train_file: Path, tmp_path: Path
) -> None:
    longer = {f"{q} Say it at length.": f"{a} {a} {a}" if n % 2 else a for n, (q, a) in enumerate(FACTS.items())}
    held = write_rows(tmp_path / "held.jsonl", list(rows(longer)))
    found = []
    for batch in (1, 3):
        config = QUICK.model_copy(update={"batch_size": batch, "epochs": 1.0, "learning_rate": 1e-12})
        made = finetune(train_file, held, str(tiny_base), config, tmp_path / str(batch), Silent())
        assert made.compared is not None
        assert made.eval_loss == pytest.approx(made.compared.loss, abs=2e-4)
        (evaluated,) = [line for line in log(tmp_path / str(batch)) if line["eval_loss"] is not None]
        assert evaluated["eval_accuracy"] == pytest.approx(made.compared.accuracy, abs=2e-4)
        found.append(made.eval_loss)
    assert found[0] == pytest.approx(found[1], abs=2e-4)


def test_an_adapter_goes_on_with_its_own_base_only(tiny_base: Path, train_file: Path, tmp_path: Path) -> None:
    first = train(train_file, tmp_path / "first", tiny_base)
    moved = shutil.copytree(tiny_base, tmp_path / "moved")
    train(train_file, tmp_path / "second", moved, start=first)
    other = shutil.copytree(tiny_base, tmp_path / "other")
    weights = load_file(other / "model.safetensors")
    from safetensors.torch import save_file

    save_file({name: value + 1e-3 for name, value in weights.items()}, other / "model.safetensors", {"format": "pt"})
    with pytest.raises(UsageError, match="has other weights"):
        train(train_file, tmp_path / "third", other, start=first)


@pytest.mark.slow
def test_a_base_that_was_moved_is_still_the_same(tiny_base: Path, train_file: Path, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        train(train_file, tmp_path / "out", tiny_base, progress=Impatient())
    moved = shutil.copytree(tiny_base, tmp_path / "moved")
    said: list[str] = []

    class Heard(Silent):
        def say(self, line: str) -> None:
            said.append(line)

    train(train_file, tmp_path / "out", moved, resume=True, progress=Heard())
    assert "Going on after step 4 of an interrupted training." in said


def test_a_full_disk_and_a_full_memory_are_told_apart(tmp_path: Path) -> None:
    from safetensors import SafetensorError

    failures: dict[type[DoceoError], list[Exception]] = {
        StorageError: [
            SafetensorError("Error while serializing: I/O error: File too large (os error 27)"),
            SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
            RuntimeError("[enforce fail at inline_container.cc:603] . PytorchStreamWriter failed writing file data/7"),
            OSError(errno.ENOSPC, "No space left on device"),
        ],
        OutOfMemory: [
            MemoryError(),
            RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 60653568 bytes"),
        ],
    }
    for kind, errors in failures.items():
        for error in errors:
            with pytest.raises(kind), mapped(tmp_path):
                raise error
    with pytest.raises(RuntimeError, match="a bug"), mapped(tmp_path):
        raise RuntimeError("a bug")
    assert (StorageError.code, OutOfMemory.code) == ("storage", "out_of_memory")


def test_a_folder_that_holds_something_else_is_left_alone(tiny_base: Path, train_file: Path, tmp_path: Path) -> None:
    note = tmp_path / "note"
    note.write_text("mine")
    model = shutil.copytree(tiny_base, tmp_path / "model")
    for out in (note, model):
        with pytest.raises(UsageError, match="holds other files"):
            train(train_file, out, tiny_base, force=True)
    assert note.read_text() == "mine"


def test_one_command_at_a_time_and_the_next_says_what_was_done(
    tiny_base: Path, train_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = ["finetune", train_file, "--base", tiny_base, "--out", out, "--rank", "2", "--epochs", "1"]
    (tmp_path / ".out.rows.jsonl").write_text("left by a command that was killed")

    def call(*more: str) -> Any:
        return CliRunner().invoke(app, [str(word) for word in (*words, *more)], prog_name="doceo")

    with writing(tmp_path / ".out.lock", "adapter", instead=""):
        held = call()
    assert held.exit_code == 1
    assert f"is being written by process {os.getpid()}" in held.stderr
    assert call().exit_code == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "train.jsonl"]
    again = call()
    assert again.exit_code == 0
    assert "UTC from the same rows, base and settings: nothing to do. 1 steps on 6 rows, loss " in again.stderr
    assert json.loads(call("--json").stdout)["unchanged"] is True
