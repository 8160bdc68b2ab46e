"""Yesterday's chats asked again: a run of stored answers, compared with a system of today."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from click.testing import Result
from typer.testing import CliRunner

from data.answers import answer_files
from data.jsonl import read_jsonl
from data.store import ANSWERS, CHUNKS, DATASET, DOCUMENTS, Run
from data.traces import read_traces
from doceo.app.stages.dataset import load_held_out
from doceo.cli.main import app
from doceo.core.records import Answered

LINES = ["When was the Bryne ferry opened?", "How many cars does it carry?", "Who won the cup in Rome?"]


def doceo(*arguments: str | Path, stdin: str = "") -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], input=stdin, prog_name="doceo")


def made(*arguments: str | Path, stdin: str = "") -> dict[str, object]:
    result = doceo(*arguments, "--json", stdin=stdin)
    assert result.exit_code == 0, result.output
    return dict(json.loads(result.stdout))


def test_a_kept_chat_is_replayed_on_its_own_documents(tiny_run: Path, tmp_path: Path) -> None:
    traces, run = tmp_path / "traces.jsonl", Run(tmp_path / "replay")
    said = "\n".join([*LINES, f"/export {tmp_path / 'now.jsonl'}"])
    made("chat", tiny_run, "--model", "quote", "--keep", stdin=f"{said}\n")
    assert made("chat", "--export", traces)["traces"] == 3
    kept = read_traces(traces)
    assert kept == read_traces(tmp_path / "now.jsonl")
    assert [(one.question, len(one.history)) for one in kept] == [(line, 2 * n) for n, line in enumerate(LINES)]
    assert kept[0].answer.citations[0].source == "library/ferry.md"

    first = made("import", "--traces", traces, "--run", tiny_run, "--out", run.path)
    assert (first["referenced"], first["cited"], first["unchanged"]) == (0, first["standing"], False)
    for stage, name in ((DOCUMENTS, "documents.jsonl"), (CHUNKS, "chunks.jsonl")):
        assert (run.path / stage / name).read_bytes() == (tiny_run / stage / name).read_bytes()
    cheap = ("--metrics", "f1,verified", "--resamples", "100")
    made("evaluate", run.path, "--systems", "recorded,quote+rag", *cheap)
    answers = {name: read_jsonl(file, Answered) for name, file in answer_files(run.path / ANSWERS).items()}
    assert [line.answer.citations for line in answers["recorded"]] == [
        line.answer.citations for line in answers["quote+rag"]
    ]
    assert [line.answer.hits for line in answers["recorded"]] == [line.answer.hits for line in answers["quote+rag"]]

    references = tmp_path / "said.csv"
    references.write_text(f"question,reference,rating\n{LINES[0]},1902,up\n{LINES[1]},12 cars,2\n")
    assert made("import", "--traces", traces, "--references", references, "--out", run.path)["rated"] == 2
    ratings = [json.loads(line) for line in (run.path / DATASET / "ratings.jsonl").read_text().splitlines()]
    assert {(line["system"], line["rating"]) for line in ratings} == {("recorded", "up"), ("recorded", 2)}
    assert {line["pair_id"] for line in ratings} <= {question.pair_id for question in load_held_out(run)}
    scores = made("evaluate", run.path, "--systems", "recorded", *cheap)["scores"]
    assert isinstance(scores, list)
    assert {one["system"] for one in scores if one["metric"] == "f1" and one["value"]} == {"recorded", "quote+rag"}
    again = {name: read_jsonl(file, Answered) for name, file in answer_files(run.path / ANSWERS).items()}
    assert [line.answer for line in again["quote+rag"]] == [line.answer for line in answers["quote+rag"]]
    assert made("import", "--traces", traces, "--references", references, "--out", run.path)["unchanged"]


def test_an_asked_question_is_recorded_and_needs_no_documents_to_be_scored(tiny_run: Path, tmp_path: Path) -> None:
    file = tmp_path / "asked.jsonl"
    answer = made("ask", LINES[0], "--run", tiny_run, "--record", file)
    made("ask", LINES[2], "--run", tiny_run, "--record", file)
    assert read_traces(file)[0].answer.model_dump(mode="json") == answer
    done = made("import", "--traces", file, "--out", tmp_path / "bare")
    assert (done["documents"], done["sets"]) == (0, {"unseen-written": 2})
    scores = made("evaluate", tmp_path / "bare", "--resamples", "100")["scores"]
    assert isinstance(scores, list)
    assert {one["system"] for one in scores} == {"recorded"}
    assert all(one["value"] is None for one in scores if one["metric"] == "f1")


def test_what_a_log_says_is_verified_is_looked_up(tiny_run: Path, tmp_path: Path) -> None:
    file, changed = tmp_path / "asked.jsonl", tmp_path / "log" / "asked.jsonl"
    changed.parent.mkdir()
    made("ask", LINES[0], "--run", tiny_run, "--record", file)
    row = json.loads(file.read_text())
    cited = row["answer"]["citations"]
    row["answer"]["citations"] = [*cited, {**cited[0], "quote": "The ferry was never opened."}]
    changed.write_text(json.dumps(row) + "\n")
    file.write_text(json.dumps({"question": LINES[0], "reference": "1902"}) + "\n")
    run = Run(tmp_path / "replay")
    given = ("import", "--traces", changed, "--references", file, "--run", tiny_run, "--out", run.path)
    done = made(*given)
    assert (done["cited"], done["standing"]) == (len(cited) + 1, len(cited))
    citations = read_jsonl(run.path / ANSWERS / "recorded.jsonl", Answered)[0].answer.citations
    assert [citation.verified for citation in citations] == [*[True] * len(cited), False]
    changed.write_text(json.dumps({**row, "rating": 2}) + "\n")
    assert made(*given)["rated"] == 1
    assert (run.path / DATASET / "ratings.jsonl").is_file(), "files of one name are told apart"
    assert made(*given)["unchanged"]


def test_what_cannot_be_replayed_is_said(tiny_run: Path, tmp_path: Path) -> None:
    traces = tmp_path / "t.jsonl"
    traces.write_text('{"question": "Q?", "answer": "A"}\n')
    copy = shutil.copytree(tiny_run, tmp_path / "tiny")
    wrong = {
        ("import", "--traces", traces, "--out", copy): "has questions of its own",
        ("import", traces, "--traces", traces, "--out", "r"): "goes with neither",
        ("import", "--out", "r"): "no FILE of pairs",
        ("import", "--traces", traces, "--run", tiny_run, "--collection", "c", "--out", "r"): "two origins",
        ("import", "--traces", traces, "--collection", "c", "--out", "r"): "no index",
        ("chat", "--export", tmp_path / "new.jsonl"): "No conversation is kept",
        ("chat", "--export", traces): "exists",
    }
    for arguments, said in wrong.items():
        result = doceo(*arguments)
        assert result.exit_code in (1, 2), arguments
        assert said in result.stderr, arguments
    assert "needs a file" in doceo("chat", tiny_run, stdin="/export\n").stderr


def test_a_second_import_loses_nothing(tmp_path: Path) -> None:
    def chats(name: str, *questions: str) -> Path:
        file = tmp_path / name
        file.write_text("".join(json.dumps({"question": q, "answer": "I think so."}) + "\n" for q in questions))
        return file

    out, said = tmp_path / "replay", tmp_path / "said.csv"
    said.write_text(f"question,rating\n{LINES[0]},up\n")
    made("import", "--traces", chats("two", *LINES[:2]), "--references", said, "--out", out)
    before = (out / DATASET / "ratings.jsonl").read_bytes()
    for more in (("--traces", chats("other", LINES[2])), ("--traces", tmp_path / "two")):
        refused = doceo("import", *more, "--out", out)
        assert refused.exit_code == 1
        assert "drop" in refused.stderr
    made("import", "--traces", chats("all", *LINES), "--references", said, "--out", out)
    assert (out / DATASET / "ratings.jsonl").read_bytes() == before
    # Nobody said what is right: nothing is measured, and the verdict says that.
    made("evaluate", out, "--systems", "recorded", "--baseline", "recorded", "--metrics", "f1,decided")
    verdict = json.loads((out / "7-scores" / "verdict.json").read_text())
    assert "no answer could be measured" in verdict["headline"]
    assert not any("generated" in line for line in verdict["changes"])
    scores = json.loads((out / "7-scores" / "scores.json").read_text())
    assert {score["value"] for score in scores if score["metric"] == "decided"} == {None}
