"""`doceo pretrain` as its users meet it, and killed in the middle of its work."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from doceo.cli.main import app
from tests.pretrain.making import content

ROOT = Path(__file__).resolve().parents[2]


def doceo(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], prog_name="doceo")


def command(text: Path, out: Path, *more: str) -> list[str]:
    """Return a command line that takes two seconds of training, and saves after every step."""
    given = "--depth 1 --vocab-size 320 --context 64 --max-steps 150 --batch-tokens 128 --window 32 --evaluations 3"
    given += " --eval-tokens 256 --sample-tokens 6 --save-seconds 0.05"
    return ["pretrain", str(text), "--out", str(out), *given.split(), *more]


def test_the_command_says_what_it_takes_and_what_came_of_it(text: Path, tmp_path: Path) -> None:
    told = doceo(*command(text, tmp_path / "m", "--estimate", "--json"))
    assert told.exit_code == 0, told.stderr
    estimate = json.loads(told.stdout)
    assert estimate["parameters"] == pytest.approx(320 * 64 + 49152, rel=0.1)
    assert (estimate["steps"], estimate["tokens"]) == (150, 150 * 128)
    assert estimate["memory"] > 1e8
    assert not (tmp_path / "m").exists()
    result = doceo(*command(text, tmp_path / "m", "--max-steps", "6"))
    assert result.exit_code == 0, result.stderr
    assert "bits per byte" in result.stdout
    assert f"doceo finetune rows.jsonl --base {tmp_path / 'm'}" in result.stdout
    again = doceo(*command(text, tmp_path / "m", "--max-steps", "6"))
    assert "Nothing to do" in again.stdout
    refused = doceo(*command(text, tmp_path / "m", "--max-steps", "7", "--json"))
    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["error"]["code"] == "model_exists"
    for given in (("--preset", "9t"), ("--preset", "5m", "--depth", "3")):
        assert doceo("pretrain", str(text), *given, "--out", str(tmp_path / "n")).exit_code == 2


def child(text: Path, out: Path) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "doceo", *command(text, out)], env=env, text=True, stderr=subprocess.PIPE
    )


def killed_and_continued(text: Path, out: Path, luck: random.Random) -> dict[str, str]:
    """Kill a training at a random moment after its first checkpoint, run it again, and return the hashes."""
    process = child(text, out)
    checkpoints = out.with_name(f".{out.name}.work") / "checkpoints"
    while not any(checkpoints.glob("step-*")) and process.poll() is None:
        time.sleep(0.005)
    time.sleep(luck.random() * 0.5)
    assert process.poll() is None, process.communicate()[1]
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert not out.exists()
    process = child(text, out)
    said = process.communicate(timeout=120)[1]
    assert process.returncode == 0, said
    assert "Goes on after step" in said
    return content(out)


@pytest.mark.crash
def test_killed_ten_times_it_ends_the_same_ten_times(text: Path, tmp_path: Path) -> None:
    whole = child(text, tmp_path / "whole")
    assert whole.communicate(timeout=120)
    assert whole.returncode == 0
    luck = random.Random()
    for n in range(10):
        assert killed_and_continued(text, tmp_path / f"cut{n}", luck) == content(tmp_path / "whole")
