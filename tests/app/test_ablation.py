from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from data.jsonl import read_jsonl
from data.store import Run
from doceo.app.ablation import ablate
from doceo.app.profile_at_hand import profile_at_hand
from doceo.app.settings import load_settings
from doceo.app.store import open_store
from doceo.cli.main import app
from doceo.core.errors import RunError, UsageError
from doceo.core.progress import Silent
from doceo.core.records import Answered

ROWS = (
    ("When was the Bryne ferry opened?", "How many cars does it carry?", "12 cars"),
    ("What is the Dorn railway?", "When was it opened?", "1868"),
    ("What is the Elmet garden?", "Who founded it?", "Sofia Lindqvist"),
    ("What is the Farrow bridge?", "When was it opened?", "1911"),
)


@pytest.fixture
def talked(tiny_run: Path, tmp_path: Path) -> Path:
    """A run with conversations among its held-out questions."""
    run = tmp_path / "talked"
    shutil.copytree(tiny_run, run)
    with (run / "4-dataset" / "taught.jsonl").open("a") as file:
        for number, (first, asked, answer) in enumerate(ROWS):
            said = [("user", first), ("assistant", "It is."), ("user", asked), ("assistant", answer)]
            known = {"pair_id": f"p_{number}", "style": "conversation", "set": "taught", "references": [answer]}
            messages = [{"role": role, "content": text} for role, text in said]
            file.write(json.dumps({"messages": messages, "metadata": known}) + "\n")
    return run


def test_conversations_are_answered_with_and_without(talked: Path) -> None:
    command = ["evaluate", str(talked), "--systems", "quote+rag", "--ablate", "history,profile", "--resamples", "100"]
    result = CliRunner().invoke(app, [*command, "--json"])
    assert result.exit_code == 0, result.output
    rows = json.loads(result.stdout)["ablation"]
    assert {(row["part"], row["turn"], row["n"]) for row in rows if row["metric"] == "f1"} == {
        ("history", "all", 4),
        ("history", "2", 4),
        ("profile", "all", 4),
        ("profile", "2", 4),
    }
    whole = next(row for row in rows if (row["part"], row["turn"], row["metric"]) == ("history", "all", "f1"))
    assert whole["value_with"] > whole["value_without"]
    assert "made up" in next(row["note"] for row in rows if row["part"] == "profile")
    asked = read_jsonl(talked / "8-ablation" / "quote+rag.without-history.jsonl", Answered)
    assert [one.question for one in asked] == [row[1] for row in ROWS]
    again = CliRunner().invoke(app, command)
    assert "With the turns before, against without" in again.stdout
    assert "answer" not in again.stderr


def test_what_cannot_be_left_out_and_a_run_without_conversations(tiny_run: Path) -> None:
    with pytest.raises(UsageError, match="'style'"):
        ablate(Run(tiny_run), ["style"], ["quote+rag"], load_settings({}), Silent())
    with pytest.raises(RunError, match="goes on from an earlier one") as raised:
        ablate(Run(tiny_run), ["history"], ["quote+rag"], load_settings({}), Silent())
    assert "multi-turn" in raised.value.hint


def test_the_users_own_profile_is_measured_where_there_is_one() -> None:
    entries, note = profile_at_hand("")
    assert len(entries) == 4
    assert "made up" in note
    open_store().profiles.add("local", "style", "The user wants brief answers.")
    entries, note = profile_at_hand("")
    assert [entry.text for entry in entries] == ["The user wants brief answers."]
    assert note == "your own profile of 1 entries"
