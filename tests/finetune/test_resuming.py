"""Going on with a training, and starting a new one from an adapter: two things, and each says what it is."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import create_model
from safetensors.torch import load_file
from typer.testing import CliRunner

from data.store import Run
from doceo.app.stages.adapter import Manner, train_adapter, train_on_file
from doceo.cli.main import app
from doceo.core.config import FinetuneConfig
from doceo.core.errors import AdapterExists, ModelNotFound, RunError, UsageError
from doceo.core.progress import Silent
from finetune.lora import finetune

from .conftest import FACTS, rows, write_rows

REPO = Path(__file__).parents[2]
QUICK = FinetuneConfig(rank=4, alpha=8, epochs=4, batch_size=3, save_steps=3, learning_rate=1e-2)


class Heard(Silent):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


class Interrupted(Silent):
    """Ends the training in a step, as Ctrl-C in a library would."""

    def __init__(self, step: int) -> None:
        self.step = step

    def task(self, name: str, total: int | None = None, unit: str = "") -> Any:
        from contextlib import nullcontext

        outer = self

        class Fuse:
            def advance(self, n: int = 1, note: str = "") -> None:
                outer.step -= 1
                if not outer.step:
                    raise KeyboardInterrupt

        return nullcontext(Fuse())


def resume(file: Path, out: Path, base: Path, config: FinetuneConfig = QUICK, start: Path | None = None) -> Path:
    return train_on_file(file, out, str(base), config, Silent(), Manner(resume=True, start=start))


def test_what_can_be_resumed_and_why_not(tiny_base: Path, train_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with pytest.raises(RunError, match="There is no interrupted training") as caught:
        resume(train_file, out, tiny_base)
    assert "--continue-from" in caught.value.hint
    for step, why in ((2, "before its first checkpoint"), (5, "")):
        with pytest.raises(KeyboardInterrupt):
            train_on_file(train_file, out, str(tiny_base), QUICK, Interrupted(step), Manner())
        if why:
            with pytest.raises(RunError, match=why):
                resume(train_file, out, tiny_base)
    with pytest.raises(RunError, match=r"another one: --rank was 4, is 2; --learning-rate was 0\.01, is left out"):
        resume(train_file, out, tiny_base, QUICK.model_copy(update={"rank": 2, "learning_rate": None}))
    other = write_rows(tmp_path / "other.jsonl", list(rows(dict(list(FACTS.items())[:4]))))
    with pytest.raises(RunError, match="it had other rows"):
        resume(other, out, tiny_base)
    assert resume(train_file, out, tiny_base) == out
    assert not (out / ".recipe").exists()
    with pytest.raises(RunError, match="is finished: there is nothing to resume"):
        resume(train_file, out, tiny_base)


def test_a_training_goes_on_in_a_newer_program(tiny_base: Path, train_file: Path, tmp_path: Path) -> None:
    out, said = tmp_path / "out", Heard()
    with pytest.raises(KeyboardInterrupt):
        train_on_file(train_file, out, str(tiny_base), QUICK, Interrupted(5), Manner())
    newer = create_model("FinetuneConfig", __base__=FinetuneConfig, novelty=(int, 1), batch_size=(int, 2))
    config = newer.model_validate(QUICK.model_dump())
    other = newer.model_validate(QUICK.model_dump() | {"novelty": 2})
    with pytest.raises(AdapterExists, match="can still go on: --novelty was 1, is 2"):
        train_on_file(train_file, out, str(tiny_base), other, Silent(), Manner())
    train_on_file(train_file, out, str(tiny_base), config, said, Manner())
    assert "Going on after step 3 of an interrupted training." in said.lines


def test_a_new_training_starts_from_an_adapter(tiny_base: Path, train_file: Path, tmp_path: Path) -> None:
    finetune(train_file, None, str(tiny_base), QUICK, tmp_path / "first", Silent())
    before = load_file(tmp_path / "first" / "adapter_model.safetensors")
    still = QUICK.model_copy(update={"learning_rate": 1e-12, "epochs": 1.0})
    made = finetune(train_file, None, str(tiny_base), still, tmp_path / "second", Silent(), start=tmp_path / "first")
    after = load_file(tmp_path / "second" / "adapter_model.safetensors")
    for name, tensor in before.items():
        torch.testing.assert_close(after[name], tensor)
    assert made.continued_from == str(tmp_path / "first")
    assert made.steps == 2
    further = finetune(train_file, None, str(tiny_base), QUICK, tmp_path / "third", Silent(), start=tmp_path / "first")
    log = [json.loads(line) for line in (tmp_path / "third" / "training.jsonl").read_text().splitlines()]
    assert log[0]["loss"] == pytest.approx(made.loss, abs=0.5)
    assert further.loss < made.loss


def test_an_adapter_keeps_its_rank_and_method(tiny_base: Path, train_file: Path, tmp_path: Path) -> None:
    dora = FinetuneConfig.model_validate(QUICK.model_dump() | {"method": "dora", "epochs": 1})
    finetune(train_file, None, str(tiny_base), dora, tmp_path / "dora", Silent())
    plain = FinetuneConfig(epochs=1, batch_size=3)
    made = finetune(train_file, None, str(tiny_base), plain, tmp_path / "on", Silent(), start=tmp_path / "dora")
    assert (made.method, made.rank, made.alpha) == ("dora", 4, 8)
    for change, words in (
        ({"rank": 16}, "--rank 16 does not fit"),
        ({"method": "rslora"}, "--method rslora does not fit"),
        ({"method": "full"}, "trains no adapter"),
    ):
        config = FinetuneConfig.model_validate(change)
        with pytest.raises(UsageError, match=words):
            finetune(train_file, None, str(tiny_base), config, tmp_path / "no", Silent(), start=tmp_path / "dora")
    with pytest.raises(ModelNotFound, match="no adapter folder") as caught:
        finetune(train_file, None, str(tiny_base), plain, tmp_path / "no", Silent(), start=tiny_base)
    assert f"--base {tiny_base}" in caught.value.hint


def call(*arguments: str | Path) -> Any:
    return CliRunner().invoke(app, [str(a) for a in arguments], prog_name="doceo")


def test_the_command_line(tiny_base: Path, train_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    quick = ["--rank", "2", "--epochs", "1"]
    done = call("finetune", train_file, "--base", tiny_base, "--out", out, *quick, "--json", "--max-forgetting", "9")
    assert done.exit_code == 0, done.output
    record = json.loads(done.stdout)["finetuning"]
    assert record["rows"] == len(FACTS)
    assert record["forgetting"]["tokens"] > 100
    gate = call("finetune", train_file, "--base", tiny_base, "--out", out, *quick, "--max-forgetting", "-9")
    assert gate.exit_code == 4
    assert "--max-forgetting allows" in gate.stderr.splitlines()[-1]
    both = call("finetune", train_file, "--base", tiny_base, "--out", out, "--resume", "--continue-from", out)
    assert both.exit_code == 2
    assert "starts a new one from an adapter" in both.stderr
    on = call("finetune", train_file, "--continue-from", out, "--out", tmp_path / "next", "--epochs", "1", "--json")
    assert on.exit_code == 0, on.output
    assert json.loads(on.stdout)["finetuning"]["base"] == str(tiny_base)
    printed = call("finetune", train_file, "--base", tiny_base, "--out", tmp_path / "no", "--print-trl")
    assert "\ntrl sft \\\n" in printed.stdout
    assert not (tmp_path / "no").exists()


def test_full_fine_tuning_of_a_run_needs_a_folder_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a run keeps an adapter") as caught:
        train_adapter(Run(tmp_path), "any/base", FinetuneConfig(method="full"), Silent(), Manner())
    assert "--out DIR" in caught.value.hint


def child(*arguments: str | Path, cwd: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(REPO), "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-m", "doceo", *map(str, arguments)]
    return subprocess.Popen(command, env=environment, cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.mark.crash
@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
@pytest.mark.parametrize("seed", range(3))
def test_a_run_killed_at_random_steps_equals_an_uninterrupted_one(tiny_base: Path, tmp_path: Path, seed: int) -> None:
    facts = {f"{question} ({n})": answer for n in range(4) for question, answer in FACTS.items()}
    file = write_rows(tmp_path / "rows.jsonl", list(rows(facts)))
    common = ["finetune", file, "--base", tiny_base, "--epochs", "24", "--save-steps", "7", "--batch-size", "6"]
    common += ["--rank", "4", "--patience", "50", "--holdout-share", "0.2"]
    assert child(*common, "--out", tmp_path / "whole", cwd=tmp_path).wait(120) == 0
    luck = random.Random(seed)
    work = tmp_path / ".cut.work"
    for number, least in ((signal.SIGKILL, 7), (signal.SIGTERM, 21), (signal.SIGKILL, 35)):
        process = child(*common, "--out", tmp_path / "cut", cwd=tmp_path)
        until = time.monotonic() + 60
        while _newest(work) < least and process.poll() is None and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(luck.uniform(0, 0.6))
        process.send_signal(number)
        assert process.wait(60) == (-signal.SIGKILL if number == signal.SIGKILL else 128 + signal.SIGTERM)
        assert not (tmp_path / "cut").exists()
    assert child(*common, "--out", tmp_path / "cut", "--resume", cwd=tmp_path).wait(120) == 0
    for name in ("adapter_model.safetensors", "adapter_config.json", "samples.jsonl", "README.md", "curve.svg"):
        assert (tmp_path / "cut" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    logs = [
        [{**json.loads(line), "seconds": 0} for line in (tmp_path / name / "training.jsonl").read_text().splitlines()]
        for name in ("cut", "whole")
    ]
    assert logs[0] == logs[1]


def _newest(work: Path) -> int:
    marks = work.glob("checkpoints/checkpoint-*/finished")
    return max((int(mark.parent.name.split("-")[1]) for mark in marks), default=0)
