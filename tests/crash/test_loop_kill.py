"""kill -9 in every stage of a loop; the same command again; the result of an uninterrupted loop."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.crash.processes import finish, kill_when

pytestmark = [pytest.mark.crash, pytest.mark.timeout(900)]

OPTIONS = (
    "--rounds", "2", "--budget", "12", "--exam", "24", "--control", "--epochs", "1", "--axis", "document",
    "--metrics", "em,f1", "--no-gain", "0",
)  # fmt: skip
STEPS = (
    "1-documents",
    "0-exam",
    "rounds/base/6-answers",
    "rounds/gap-0/1/3-pairs",
    "rounds/gap-0/1/4-dataset",
    "rounds/gap-0/1/5-adapter",
    "rounds/gap-0/1/6-answers",
    "rounds/gap-0/1/7-scores",
    "rounds/even-0/2/5-adapter",
)
TIMED = ("manifest.json", "training.jsonl", "finetuning.json", "verdict.json", ".lock.pid")


def under_way(folder: Path) -> Callable[[], bool]:
    """Return whether a stage is being made, or is just made."""
    return lambda: folder.with_name(f".{folder.name}.work").exists() or (folder / "manifest.json").exists()


def content(folder: Path) -> dict[str, str]:
    """Return the hash of every file that has to come out the same, without the times that stand in it."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and path.name not in TIMED and "index/" not in name and not path.is_symlink():
            text = re.sub(rb'"seconds": ?[0-9.e-]+', b"", path.read_bytes())
            found[name] = hashlib.sha256(text).hexdigest()
    return found


def rounds(folder: Path) -> list[tuple[str, int, str, dict[str, Any]]]:
    record = json.loads((folder / "loop.json").read_text())
    return [(s["arm"], s["seed"], s["stopped"], one["made"]) for s in record["series"] for one in s["rounds"]]


def test_a_loop_that_is_killed_in_every_stage_ends_as_if_it_had_not_been(library: Path, tmp_path: Path) -> None:
    # The page bears the name of its folder.
    whole, cut = tmp_path / "whole" / "loop", tmp_path / "cut" / "loop"
    finish("loop", library, *OPTIONS, "--out", whole, cwd=tmp_path)
    for step in STEPS:
        kill_when(under_way(cut / step), "loop", library, *OPTIONS, "--out", cut, cwd=tmp_path)
    finish("loop", library, *OPTIONS, "--out", cut, cwd=tmp_path)
    assert content(cut) == content(whole)
    assert len(rounds(cut)) == 4
    assert "nothing has changed" in finish("loop", library, *OPTIONS, "--out", cut, cwd=tmp_path)
