"""kill -9 while a judge is asked; the same command again; nothing but what was in flight is asked twice."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.crash.processes import finish, kill_when
from tests.judge_server import judge_server

AT_ONCE = 4

pytestmark = pytest.mark.crash


def options(run: Path, address: str) -> list[object]:
    named = ["evaluate", run, "--judge", "openai:j", "--base-url", address, "--concurrency", AT_ONCE]
    return [*named, "--metrics", "em", "--resamples", "200"]


def kept(run: Path) -> dict[str, bytes]:
    folders = [run / "6-judged", run / "7-scores"]
    return {f"{f.name}/{p.name}": p.read_bytes() for f in folders for p in f.iterdir() if p.name != "manifest.json"}


@pytest.mark.parametrize("after", [1, 40])
def test_a_killed_judge_goes_on(tiny_run: Path, tmp_path: Path, after: int) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    shutil.copytree(tiny_run, whole)
    shutil.copytree(tiny_run, broken)
    with judge_server(0.05) as served:
        finish(*options(whole, served.address), cwd=tmp_path)
        expected = Counter(json.dumps(body["messages"]) for body in served.seen)
        served.seen.clear()
        kill_when(lambda: len(served.seen) >= after, *options(broken, served.address), cwd=tmp_path)
        assert not (broken / "6-judged").exists()
        finish(*options(broken, served.address), cwd=tmp_path)
        asked = Counter(json.dumps(body["messages"]) for body in served.seen)
    assert asked.keys() == expected.keys()
    assert sum(asked.values()) - sum(expected.values()) <= AT_ONCE
    assert kept(broken) == kept(whole)
