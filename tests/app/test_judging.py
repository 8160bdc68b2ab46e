"""`doceo judge`, with a scripted judge in the place of a served one."""

from __future__ import annotations

import json
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from doceo.app.settings import Settings
from doceo.app.stages import judging
from doceo.cli.judge import register
from doceo.core.errors import UsageError
from doceo.core.progress import Silent
from doceo.core.records import ChatRequest
from doceo.providers.scripted import Scripted
from generator.judge import POINTS
from generator.judge_check import NOT_MEASURED, shipped

app = typer.Typer()
app.callback()(lambda: None)
register(app)


def careful(request: ChatRequest) -> str:
    """Find every wrong number, and nothing else."""
    said = request.messages[-1].content
    wrong = any(
        f"Question: {item.question}\nAnswer: {item.answer}\n" in said
        for item in shipped()
        if item.fault == "wrong_number"
    )
    return json.dumps({point: {"reason": "", "mark": 0 if wrong and point == "correctness" else 2} for point in POINTS})


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(spec: str, *_args: object, **_options: object) -> Any:
        return Scripted(careful, name=spec).asynchronous()

    monkeypatch.setattr(judging, "open_async", opened)


@pytest.mark.usefixtures("scripted")
def test_a_judge_is_measured_and_remembered() -> None:
    assert judging.judge_in_words("openai:judge") == NOT_MEASURED
    done = CliRunner().invoke(app, ["judge", "--check", "--judge", "openai:judge", "--json"], catch_exceptions=False)
    found = json.loads(done.stdout)
    assert (found["n"], found["precision"], found["unreadable"]) == (61, 1.0, 0)
    assert found["faults"]["wrong_number"] == {"n": 6, "recall": 1.0, "precision": 1.0, "named": 1.0}
    assert found["accuracy"] == pytest.approx((28 + 6) / 61)
    assert found["recall"] == pytest.approx(6 / 33)
    assert "agrees with 55.7% of 61 labels" in judging.judge_in_words("openai:judge")
    shown = CliRunner().invoke(app, ["judge"], catch_exceptions=False)
    assert "openai:judge: agrees with 55.7% of 61 labels" in shown.stdout
    table = CliRunner().invoke(app, ["judge", "--check", "--judge", "openai:judge"], catch_exceptions=False).stdout
    assert "wrong_number" in table


def test_nothing_measured_says_how() -> None:
    assert "doceo judge --check" in CliRunner().invoke(app, ["judge"], catch_exceptions=False).stdout


def test_there_has_to_be_a_judge() -> None:
    with pytest.raises(UsageError, match="no judge"):
        judging.check_judge(Settings(), None, Silent())
