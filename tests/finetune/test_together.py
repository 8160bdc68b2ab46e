"""Two processes, as `torchrun` starts them, train the adapter that one trains."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from .conftest import FACTS, rows, write_rows

REPO = Path(__file__).parents[2]
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--nproc_per_node", "2"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def command(file: Path, base: Path, out: Path, *more: str, alone: bool = False) -> list[str]:
    program = [sys.executable, "-m", "doceo"] if alone else [*TORCHRUN, "-m", "doceo"]
    numbers = "--rank 4 --batch-size 2 --learning-rate 0.01 --patience 9 --save-steps 4 --holdout-share 0"
    return [*program, "finetune", str(file), "--base", str(base), "--out", str(out), *numbers.split(), *more]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(REPO), "OMP_NUM_THREADS": "1"}


def ran(words: list[str]) -> str:
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def losses(out: Path, kind: str = "loss") -> list[float]:
    lines = map(json.loads, (out / "training.jsonl").read_text().splitlines())
    return [line[kind] for line in lines if line[kind] is not None]


@pytest.fixture
def eleven(tmp_path: Path) -> Path:
    """Eleven rows of different lengths: in the last step of a pass one of two processes has none left."""
    more = {f"And again, {q.lower()}": f"{a} {a}" for q, a in FACTS.items()}
    return write_rows(tmp_path / "rows.jsonl", list(rows(FACTS | more))[:11])


def test_two_processes_train_as_one(tiny_base: Path, eleven: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    held = write_rows(tmp_path / "held.jsonl", list(rows({q.upper(): a for q, a in FACTS.items()}))[:3])
    more = ["--epochs", "3", "--validation", str(held)]
    ran(command(eleven, tiny_base, one, *more, alone=True))
    said = ran(command(eleven, tiny_base, two, *more))
    assert losses(two) == pytest.approx(losses(one), abs=1e-5)
    assert losses(two, "eval_loss") == pytest.approx(losses(one, "eval_loss"), abs=1e-5)
    assert len(losses(two)) == 18
    for name, weight in load_file(one / "adapter_model.safetensors").items():
        torch.testing.assert_close(load_file(two / "adapter_model.safetensors")[name], weight, atol=1e-4, rtol=1e-3)
    assert json.loads((two / "finetuning.json").read_text())["processes"] == 2
    # Only the first process speaks, and a finished training is not done again.
    assert said.count("Adapter: ") == 1
    assert ran(command(eleven, tiny_base, two, *more)).count("Adapter: ") == 1


def test_packs_are_shared_too(tiny_base: Path, eleven: Path, tmp_path: Path) -> None:
    """A step's packs are as many as processes share, whatever the rows come to."""
    held = write_rows(tmp_path / "held.jsonl", list(rows({q.upper(): a for q, a in FACTS.items()}))[:3])
    out = tmp_path / "out"
    ran(command(eleven, tiny_base, out, "--epochs", "3", "--packing", "on", "--validation", str(held)))
    made = json.loads((out / "finetuning.json").read_text())
    assert (made["packing"], made["processes"]) == (True, 2)
    assert made["compared"]["loss"] < made["compared"]["base_loss"]


def test_a_signal_saves_and_the_same_command_goes_on(tiny_base: Path, eleven: Path, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    ran(command(eleven, tiny_base, whole, "--epochs", "60"))
    words = command(eleven, tiny_base, cut, "--epochs", "60")
    child = subprocess.Popen(words, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    work = tmp_path / ".cut.work"
    while not (work / "training.jsonl").exists() and child.poll() is None:
        time.sleep(0.02)
    child.send_signal(signal.SIGTERM)
    assert child.wait(60) != 0
    assert list((work / "checkpoints").glob("checkpoint-*/finished"))
    ran(words)
    assert losses(cut) == pytest.approx(losses(whole), abs=1e-6)
    assert (cut / "adapter_model.safetensors").read_bytes() == (whole / "adapter_model.safetensors").read_bytes()


def test_rows_that_cannot_be_shared_are_refused(tiny_base: Path, eleven: Path, tmp_path: Path) -> None:
    words = [*command(eleven, tiny_base, tmp_path / "out"), "--batch-size", "3"]
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, timeout=240)
    assert done.returncode == 1
    assert "3 rows of a step cannot be shared evenly by 2 processes" in done.stdout + done.stderr


SHARDED = """
import os, sys, torch
from torch import distributed
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard
from transformers import AutoModelForCausalLM

together = int(os.environ.get("WORLD_SIZE", "1")) > 1
model = AutoModelForCausalLM.from_pretrained(sys.argv[1], dtype=torch.float32)
if together:
    distributed.init_process_group("gloo")
    mesh = init_device_mesh("cpu", (2,))
    for layer in model.model.layers:
        fully_shard(layer, mesh=mesh)
    fully_shard(model, mesh=mesh)
    held = sum(p.to_local().numel() for p in model.parameters())
    assert held <= 0.6 * sum(p.numel() for p in model.parameters()), held
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
ids = torch.randint(0, 300, (4, 32), generator=torch.Generator().manual_seed(0))
mine = ids[distributed.get_rank() * 2 :][:2] if together else ids
for step in range(4):
    loss = model(input_ids=mine, labels=mine, use_cache=False).loss
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    shown = loss.detach()
    if together:
        distributed.all_reduce(shown)
        shown = shown / 2
    if not together or distributed.get_rank() == 0:
        print("loss", round(float(shown), 5), flush=True)
"""


def test_our_models_can_be_sharded(tiny_base: Path, tmp_path: Path) -> None:
    """FSDP2 over two processes holds half of the weights in each, and trains as one process does."""
    script = tmp_path / "sharded.py"
    script.write_text(SHARDED)
    found = [
        [float(line.split()[1]) for line in ran([*words, str(script), str(tiny_base)]).splitlines() if "loss" in line]
        for words in ([sys.executable], TORCHRUN)
    ]
    assert len(found[0]) == 4
    assert found[1] == pytest.approx(found[0], abs=1e-4)
