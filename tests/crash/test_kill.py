"""kill -9 in the middle of a stage; the same command again; the result of an uninterrupted run."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.crash.processes import finish, kill_when

pytestmark = pytest.mark.crash


def content(folder: Path, *leave: str) -> dict[str, str]:
    """Return the hash of every file that has to come out the same."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in {"manifest.json", *leave}
    }


def test_generate_pays_nothing_twice(library: Path, tmp_path: Path, teacher: Callable[[float], Any]) -> None:
    server = teacher(0.1)
    plain = ["--gates", "form,exact,near,grounding", "--topics", "0", "--kinds", "fact=0"]
    common = ["--teacher", "openai:m", "--base-url", server.address, "--pairs", "16", "--concurrency", "2", *plain]
    finish("generate", library, *common, "--out", tmp_path / "whole", cwd=tmp_path)
    once = server.seen()
    kill_when(lambda: server.seen() >= once + 4, "generate", library, *common, "--out", tmp_path / "cut", cwd=tmp_path)
    finish("generate", library, *common, "--out", tmp_path / "cut", cwd=tmp_path)
    assert server.seen() <= 2 * once + 2, "more than what was in flight was paid again"
    assert content(tmp_path / "cut" / "3-pairs", "card.md", "README.md") == content(
        tmp_path / "whole" / "3-pairs", "card.md", "README.md"
    )


def test_finetune_goes_on_and_ends_the_same(tiny_run: Path, tmp_path: Path) -> None:
    common = ["finetune", tiny_run / "4-dataset" / "train.jsonl", "--epochs", "12", "--save-steps", "4"]
    finish(*common, "--out", tmp_path / "whole", cwd=tmp_path)
    work = tmp_path / ".cut.work"

    def two_checkpoints() -> bool:
        return (
            len(list(work.glob("checkpoints/*/finished"))) >= 1 or len(list(work.glob("checkpoints/checkpoint-*"))) >= 2
        )

    kill_when(two_checkpoints, *common, "--out", tmp_path / "cut", cwd=tmp_path)
    assert not (tmp_path / "cut").exists()
    finish(*common, "--out", tmp_path / "cut", cwd=tmp_path)
    timed = ("training.jsonl", "finetuning.json")
    assert content(tmp_path / "cut", *timed) == content(tmp_path / "whole", *timed)
    losses = [
        [json.loads(line)["loss"] for line in (tmp_path / name / "training.jsonl").read_text().splitlines()]
        for name in ("cut", "whole")
    ]
    assert losses[0] == losses[1]


def test_index_keeps_the_old_version_until_the_new_one_is_whole(library: Path, tmp_path: Path) -> None:
    finish("index", library / "ferry.md", library / "mill.html", cwd=tmp_path)
    folder = tmp_path / "runs" / ".collections" / "default"
    old = (folder / "current").read_text() if (folder / "current").is_file() else os.readlink(folder / "current")

    def writing() -> bool:
        return any(path.name != old.strip() and path.is_dir() for path in folder.iterdir())

    everything = sorted(library.glob("*"))
    kill_when(writing, "index", *everything, cwd=tmp_path)
    answer = json.loads(finish("ask", "When was the Bryne ferry opened?", "--json", cwd=tmp_path).splitlines()[-1])
    assert answer["short"] == "1902"
    assert "6 documents" in finish("index", *everything, cwd=tmp_path)
    answer = json.loads(
        finish("ask", "How long is the main span of the Farrow bridge?", "--json", cwd=tmp_path).splitlines()[-1]
    )
    assert answer["citations"][0]["source"] == "bridge.md"
    left = [path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
    assert len(left) == 1
