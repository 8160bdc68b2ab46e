"""kill -9 while a judge is asked; the same command again; nothing but what was in flight is asked twice."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.judge_server import judge_server

ROOT = Path(__file__).resolve().parents[2]
AT_ONCE = 4

pytestmark = pytest.mark.crash


def evaluate(run: Path, address: str) -> subprocess.Popen[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    arguments = ["evaluate", run, "--judge", "openai:j", "--base-url", address, "--concurrency", AT_ONCE]
    command = [sys.executable, "-m", "doceo", *map(str, arguments), "--metrics", "em", "--resamples", "200"]
    return subprocess.Popen(
        command, env=env, cwd=run.parent, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )


def finish(run: Path, address: str) -> None:
    process = evaluate(run, address)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output


def kept(run: Path) -> dict[str, bytes]:
    folders = [run / "6-judged", run / "7-scores"]
    return {f"{f.name}/{p.name}": p.read_bytes() for f in folders for p in f.iterdir() if p.name != "manifest.json"}


@pytest.mark.parametrize("after", [1, 40])
def test_a_killed_judge_goes_on(tiny_run: Path, tmp_path: Path, after: int) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    shutil.copytree(tiny_run, whole)
    shutil.copytree(tiny_run, broken)
    with judge_server(0.05) as served:
        finish(whole, served.address)
        expected = Counter(json.dumps(body["messages"]) for body in served.seen)
        served.seen.clear()
        process = evaluate(broken, served.address)
        until = time.monotonic() + 120
        while len(served.seen) < after and process.poll() is None and time.monotonic() < until:
            time.sleep(0.005)
        assert process.poll() is None, process.communicate()[0]
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert not (broken / "6-judged").exists()
        finish(broken, served.address)
        asked = Counter(json.dumps(body["messages"]) for body in served.seen)
    assert asked.keys() == expected.keys()
    assert sum(asked.values()) - sum(expected.values()) <= AT_ONCE
    assert kept(broken) == kept(whole)
