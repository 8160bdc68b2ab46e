"""`doceo evaluate RUN --judge MODEL`, with a judge behind an address."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from doceo.cli.main import app
from tests.judge_server import JudgeServer, judge_server


@pytest.fixture
def served() -> Iterator[JudgeServer]:
    with judge_server() as server:
        yield server


@pytest.fixture
def run(tiny_run: Path, tmp_path: Path) -> Path:
    shutil.copytree(tiny_run, tmp_path / "run")
    return tmp_path / "run"


def evaluate(run: Path, address: str, *more: str) -> Result:
    judge = (
        ["--judge", "openai:j", "--base-url", address, "--judge-repeats", "1", "--judge-questions", "3"]
        if address
        else []
    )
    return CliRunner().invoke(
        app,
        ["evaluate", str(run), "--resamples", "200", "--metrics", "em", *judge, *more],
        prog_name="doceo",
        env={"COLUMNS": "160"},
    )


def test_a_judge_marks_the_answers_beside_the_other_metrics(run: Path, served: JudgeServer) -> None:
    result = evaluate(run, served.address)
    assert result.exit_code == 0, result.output
    assert "as a judge model marks them (not compared with people)" in " ".join(result.output.split())
    assert "preferred to base" in " ".join(result.output.split())
    assert "Not compared with people." in result.output
    assert "The judge is asked" in result.stderr
    asked = len(served.seen)
    found = json.loads(evaluate(run, served.address, "--json").stdout)
    judged = [score for score in found["scores"] if score["group"] == "judged" and not score["versus"]]
    assert {score["metric"] for score in judged} == {
        "judge_correct", "judge_supported", "judge_complete", "judge_restrained", "judge_preferred",
    }  # fmt: skip
    assert all(score["value"] == 100 for score in judged if score["metric"] == "judge_correct")
    assert found["judge"]["unreadable"] == 0
    assert found["judge"]["flipped"] == 0
    # without naming it nothing is asked, and what was said still counts
    again = json.loads(evaluate(run, "", "--json").stdout)
    assert again["judge"] == found["judge"]
    assert again["scores"] == found["scores"]
    assert len(served.seen) == asked


def test_the_cost_cap_stops_it_and_a_higher_one_goes_on(run: Path, served: JudgeServer, tmp_path: Path) -> None:
    prices = tmp_path / "prices.toml"
    host = served.address.split("/")[2]
    prices.write_text(f'[hosts."{host}"]\nj = {{ prompt = 1.0, completion = 10.0 }}\n')
    limits = ["--prices", str(prices), "--concurrency", "1"]
    result = evaluate(run, served.address, *limits, "--max-cost", "0.05")
    assert result.exit_code == 3, result.output
    assert "higher --max-cost" in result.output
    paid = len(served.seen)
    assert 0 < paid <= 0.05 / 0.002  # each reply costs 0.002 USD
    result = evaluate(run, served.address, *limits, "--max-cost", "5")
    assert result.exit_code == 0, result.output
    texts = [json.dumps(body["messages"]) for body in served.seen]
    assert len(set(texts)) == len(texts) > paid


def test_what_cannot_be_used_is_named(run: Path, served: JudgeServer) -> None:
    result = evaluate(run, "", "--judge", "quote")
    assert (result.exit_code, "'quote' is not a chat model" in result.output) == (2, True)
    result = evaluate(run, "", "--judge-labels", "labels.jsonl")
    assert (result.exit_code, "Name a judge too" in result.output) == (2, True)
    result = evaluate(run, served.address, "--judge-labels", "labels.jsonl")
    assert (result.exit_code, "There is no file labels.jsonl" in result.output) == (1, True)
    result = evaluate(run, "", "--judge", "openai:j", "--judge-rubric", "none.toml")
    assert (result.exit_code, "rubric none.toml cannot be read" in result.output) == (1, True)
