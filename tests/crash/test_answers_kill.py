"""kill -9 while a system answers: the same command asks only what was in flight."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.crash.processes import finish, kill_when

MODEL = "hf:doceo-5m"

pytestmark = pytest.mark.crash


@pytest.fixture
def chats(tmp_path: Path) -> Callable[[str], Path]:
    """Make runs of 150 recorded questions."""
    file = tmp_path / "chats.jsonl"
    rows = ({"question": f"What is number {n} of the list?", "answer": "I do not know."} for n in range(150))
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    def make(name: str) -> Path:
        finish("import", "--traces", file, "--out", tmp_path / name, cwd=tmp_path)
        return tmp_path / name

    return make


def answers(run: Path) -> list[dict[str, Any]]:
    (file,) = (path for path in (run / "6-answers").glob("*.jsonl") if path.stem != "recorded")
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def parts(run: Path) -> list[dict[str, Any]]:
    kept = (run / ".6-answers.work").glob(".*.part")
    return [json.loads(line) for path in kept for line in path.read_bytes().splitlines() if line.endswith(b"}")]


def test_a_local_model_repeats_at_most_one_batch(tmp_path: Path, chats: Callable[[str], Path]) -> None:
    whole, cut = chats("whole"), chats("cut")
    common = ["--systems", MODEL, "--answer-max-tokens", "24", "--resamples", "100", "--metrics", "f1"]
    finish("evaluate", whole, *common, cwd=tmp_path)
    kill_when(lambda: len(parts(cut)) >= 64, "evaluate", cut, *common, cwd=tmp_path)
    kept = parts(cut)
    assert len(kept) in (64, 128)
    finish("evaluate", cut, *common, cwd=tmp_path)
    made = answers(cut)
    assert made[: len(kept)] == kept, "seconds and all: they were not asked again"
    for lines in (made, uncut := answers(whole)):
        for line in lines:
            line["answer"]["usage"].pop("seconds")
    assert made == uncut


def test_a_server_is_asked_again_only_for_what_was_in_flight(
    tmp_path: Path, chats: Callable[[str], Path], teacher: Callable[[float], Any]
) -> None:
    run, server = chats("cut"), teacher(0.05)
    common = ["--systems", "openai:m", "--base-url", server.address, "--concurrency", "4", "--resamples", "100"]
    kill_when(lambda: server.seen() >= 60, "evaluate", run, *common, cwd=tmp_path)
    finish("evaluate", run, *common, cwd=tmp_path)
    assert 150 <= server.seen() <= 154
    assert len(answers(run)) == 150
    seen = server.seen()
    finish("evaluate", run, *common, "--metrics", "em,chrf", cwd=tmp_path)
    assert server.seen() == seen
    assert all(line["answer"]["usage"]["seconds"] > 0.04 for line in answers(run)), "as it took, from the journal too"
