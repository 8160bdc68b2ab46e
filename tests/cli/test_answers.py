"""What `ask` shows and what `calibrate` makes of a small library."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from doceo.cli.console import Console
from doceo.cli.main import app
from doceo.cli.shown_answer import show_answer
from doceo.core.records import Answer, Arm, Citation, Hit, Segment, Span, Trace, Usage

FOLDER = Path("runs/.collections")


def doceo(*arguments: str | Path, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], input=stdin, prog_name="doceo", env={"COLUMNS": "80"})


SPAN = Span(document_id="d_1", start=0, end=5)
QUOTE = "It was built in 1872 by Edith Marlow, who had come from the south with nothing but a ladder and two lamps."
CITED = Citation(
    n=1,
    document_id="d_1",
    source="papers/a-very-long-folder-name/another-one/history-of-the-pier-of-harrow-and-its-boats.pdf",
    title="History",
    page=7,
    heading_path=("The pier", "Building"),
    span=SPAN,
    quote=QUOTE,
    verified=True,
)
HIT = Hit(
    chunk_id="c_1",
    source="a.pdf",
    page=7,
    heading_path=("The pier",),
    span=SPAN,
    score=0.9,
    arms={"dense": Arm(rank=1, score=0.5), "lexical": Arm(rank=3, score=11.0)},
    flags=("override",),
)


def shown(answer: Answer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", "80")
    show_answer(Console(as_json=False), answer)
    return capsys.readouterr().out.rstrip("\n").split("\n")


def test_an_answer_in_eighty_columns(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    doubted = CITED.model_copy(update={"n": 2, "source": "b.txt", "page": None, "verified": False, "quote": "No."})
    answer = Answer(text=f"{QUOTE} [1][2].\n\n- One [1]", citations=(CITED, doubted))
    lines = shown(answer, capsys, monkeypatch)
    assert max(len(line) for line in lines if "history-of" not in line) <= 80
    text = "\n".join(lines)
    assert "  [1] papers/" in text
    assert "      page 7" in lines
    assert "      History > The pier > Building" in text
    assert "      \u201cIt was built in 1872" in text
    assert "  [2] b.txt  (not verified" in text
    assert "- One [1]" in lines


def test_a_trace_shows_how_it_came_about(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    trace = Trace(
        queries=("And when?", "When was the pier built?"),
        rewriting="rules",
        segments=(
            Segment(name="system", tokens=61, sha256="ab" * 32),
            Segment(name="turns", tokens=9, sha256="cd" * 32, left_out=4),
        ),
        counted_tokens=70,
        notes=("The reranker was too slow.",),
        seconds={"retrieve": 0.2, "generate": 1.1},
    )
    usage = Usage(prompt_tokens=68, completion_tokens=5, cached_tokens=61, seconds=1.3)
    answer = Answer(text="In 1872 [1].", citations=(CITED,), hits=(HIT,), chance=0.81, usage=usage, trace=trace)
    text = " ".join(" ".join(shown(answer, capsys, monkeypatch)).split())
    for part in (
        "Searched for (rewriting: rules) And when? When was the pier built?",
        "1, 0.500",
        "3, 11.000 override",
        "Chance of these passages holding the answer: 0.81",
        "turns 9 4 cdcdcdcd",
        "Tokens: 70 counted, 68 read, 61 of them cached, 5 written",
        "Seconds: 1.30 (retrieve 0.20, generate 1.10)",
        "Note: The reranker was too slow.",
    ):
        assert part in text


def test_a_refusal_shows_its_reason_and_no_sources(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = Answer(text="I cannot find this in the documents.", refused=True, reason="Too unlike.", hits=(HIT,))
    assert shown(answer, capsys, monkeypatch) == ["I cannot find this in the documents.", "(Too unlike.)"]


def test_calibrate_on_questions_of_ones_own(library: Path) -> None:
    mine = ("--collection", "mine")
    assert doceo("index", library, *mine).exit_code == 0
    asked = [
        ("When was the Bryne ferry opened?", True),
        ("Who engineered the Aldern lighthouse?", True),
        ("What is the gauge of the Dorn railway?", True),
        ("How many species does the Elmet garden hold?", True),
        ("When was the mill of Corvin restored?", True),
        ("How high is the lighthouse of Aldern?", True),
        ("Who built the first locomotive of the Dorn railway?", True),
        ("How long does the crossing of the ferry take?", True),
        ("Why is the garden closed in January?", True),
        ("When was the pond of the mill dug?", True),
        ("Who won the chess world cup in Baku?", False),
        ("How far is the moon from the earth?", False),
        ("What does a levain consist of?", False),
        ("Who wrote the opera Carmen?", False),
        ("Which river flows through Vienna?", False),
        ("How is penicillin made?", False),
        ("When did the Berlin wall fall?", False),
        ("What is the capital of Peru?", False),
        ("How many legs does a spider have?", False),
        ("Who painted the Mona Lisa?", False),
        ("Which planet has the most moons?", False),
    ]
    Path("mine.jsonl").write_text(
        "".join(json.dumps({"question": q, "answerable": a, "note": "ignored"}) + "\n" for q, a in asked)
    )
    result = doceo("calibrate", *mine, "--questions", "mine.jsonl", "--json")
    assert result.exit_code == 0, result.output
    made = json.loads(result.stdout)
    assert made["questions"] == {"given": 21}
    assert made["model"]["auroc"] > 0.9
    assert made["model"]["risk"] <= 0.2
    assert "points" not in made
    kept = (FOLDER / "mine" / "calibration.json").read_text()
    assert "ferry" not in kept  # no question's words
    assert (FOLDER / "mine" / "calibration.json").stat().st_mode & 0o777 == 0o600
    assert "<svg" in Path(made["curve"]).read_text()

    refused = json.loads(doceo("ask", "Who composed the opera Tosca?", *mine, "--json").stdout)
    assert refused["refused"]
    assert refused["citations"] == []
    assert not json.loads(doceo("ask", "When was the Bryne ferry opened?", *mine, "--json").stdout)["refused"]

    Path("judged.jsonl").write_text('{"question": "What does a levain consist of?", "answerable": true}\n')
    again = json.loads(doceo("calibrate", *mine, "--reviews", "judged.jsonl", "--coverage", "0.9", "--json").stdout)
    assert again["questions"] == {"given": 20, "reviewed": 1}
    assert again["model"]["coverage"] >= 0.9
    third = json.loads(doceo("calibrate", *mine, "--risk", "0.2", "--json").stdout)
    assert third["questions"] == again["questions"]  # what people gave is not thrown away
    shown = doceo("calibrate", *mine, "--questions", "mine.jsonl", "--risk", "0.1")
    assert "risk of at most 10%" in shown.output
    assert "21 questions (21 given)" in shown.output


def test_what_calibrate_refuses(library: Path) -> None:
    here = ("--collection", "ferry")
    doceo("index", library / "ferry.md", *here)
    good = '{"question": "Who?", "answerable": true}\n'
    Path("wrong.jsonl").write_text(good + '{"question": "Who?", "answerable": "yes"}\n')
    Path("few.jsonl").write_text(good)
    for arguments, code, words in (
        ([*here, "--risk", "0.1", "--coverage", "0.5"], 2, "decide the same"),
        ([*here, "--questions", "a", "--reviews", "b"], 2, "begins anew"),
        ([*here, "--questions", "none.jsonl"], 1, "no file"),
        ([*here, "--questions", "wrong.jsonl"], 1, "line 2: answerable"),
        ([*here, "--questions", "few.jsonl"], 1, "needs 10 of either kind"),
        (["--collection", "nothing"], 1, "no index"),
    ):
        result = doceo("calibrate", *arguments)
        assert (result.exit_code, words in result.output) == (code, True), result.output


def test_calibrate_makes_questions_of_the_documents(library: Path) -> None:
    made = ("--collection", "made")
    doceo("index", library, *made)
    result = doceo("calibrate", *made, "--json")
    found = json.loads(result.stdout)
    assert result.exit_code == 0, found
    assert found["questions"]["made"] >= 20
    assert set(found["questions"]) == {"made"}
    assert any("your own" in note for note in found["notes"])
    first = (FOLDER / "made" / "calibration.json").read_bytes()
    doceo("calibrate", *made)
    assert (FOLDER / "made" / "calibration.json").read_bytes() == first
