"""The command line as its users meet it: results, JSON, exit codes, messages."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from doceo.cli.main import VERBS, app

ROOT = Path(__file__).resolve().parents[2]


def doceo(*arguments: str | Path, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], input=stdin, prog_name="doceo")


def child(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **environment}
    return subprocess.run(
        [sys.executable, "-m", "doceo", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=env,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_explains_itself(verb: str) -> None:
    result = doceo(verb, "--help")
    assert result.exit_code == 0
    assert "Usage: doceo" in result.output
    if verb != "keys":
        assert "--json" in result.output
        return
    for word in ("create", "list", "revoke"):
        assert "--json" in doceo(verb, word, "--help").output


def test_ingest_generate_export(library: Path, tmp_path: Path) -> None:
    result = doceo("ingest", library, "--out", tmp_path / "r", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["documents"] == 6
    result = doceo("generate", "--pairs", "10", "--out", tmp_path / "r", "--json")
    assert result.exit_code == 0
    made = json.loads(result.stdout)
    assert made["pairs"] == made["ledger"]["accepted"] == 10
    assert made["short"] == ""
    result = doceo("export", tmp_path / "r", "--format", "openai", "--out", tmp_path / "rows.jsonl")
    assert result.exit_code == 0
    trained = pair_ids(tmp_path / "rows.evidence.jsonl")
    sets = {}
    for name in ("taught", "unseen", "all"):
        doceo("export", tmp_path / "r", "--set", name, "--out", tmp_path / name)
        sets[name] = pair_ids(tmp_path / f"{name}.evidence.jsonl")
    assert len(sets["all"]) == 10
    assert trained.isdisjoint(sets["taught"] | sets["unseen"])
    assert trained | sets["taught"] | sets["unseen"] == sets["all"]
    result = doceo("report", tmp_path / "r", "--no-open")
    assert result.exit_code == 0
    assert (tmp_path / "r" / "report.html").exists()


def pair_ids(file: Path) -> set[str]:
    return {json.loads(line)["pair_id"] for line in file.read_text().splitlines()}


def test_fewer_pairs_than_asked_is_exit_3_with_the_reasons(library: Path, tmp_path: Path) -> None:
    result = doceo("generate", library / "ferry.md", "--pairs", "500", "--out", tmp_path / "r")
    assert result.exit_code == 3
    last = result.stderr.strip().splitlines()[-1]
    assert "of 500 pairs" in last
    assert (tmp_path / "r" / "3-pairs" / "pairs.jsonl").exists()


def test_index_ask_chat_collections(library: Path) -> None:
    assert doceo("index", library).exit_code == 0
    result = doceo("ask", "When was the Bryne ferry opened?", "--json")
    answer = json.loads(result.stdout)
    assert answer["short"] == "1902"
    assert answer["citations"][0]["verified"]
    shown = doceo("ask", "When was the Bryne ferry opened?")
    assert "library/ferry.md" in shown.stdout
    talk = doceo("chat", stdin="When was the Bryne ferry opened?\nHow many cars does it carry?\n")
    assert "1902" in talk.stdout
    assert "12 cars" in talk.stdout
    listed = json.loads(doceo("collections", "--json").stdout)["collections"]
    assert [(one["name"], one["documents"]) for one in listed] == [("default", 6)]
    assert listed[0]["passages"] >= 6
    assert listed[0]["bytes"] > 0
    assert "problem" not in listed[0]
    (library.parent / "one").mkdir(exist_ok=True)
    assert doceo("collections", "--delete", "default").exit_code == 0
    result = doceo("ask", "When was the Bryne ferry opened?")
    assert result.exit_code == 1
    assert "doceo index" in result.stderr


def test_a_refusal_is_an_answer(tiny_run: Path) -> None:
    result = doceo("ask", "Which film won the most prizes in Venice last year?", "--run", tiny_run, "--json")
    assert result.exit_code == 0
    answer = json.loads(result.stdout)
    assert answer["refused"]
    assert answer["citations"] == []


def test_evaluate_and_its_json(tiny_run: Path) -> None:
    result = doceo("evaluate", tiny_run, "--resamples", "200", "--json")
    assert result.exit_code == 0
    said = json.loads(result.stdout)
    assert {row["set"] for row in said["scores"]} >= {"taught", "unseen"}
    quoted = [one for one in said["citations"] if one["system"] == "quote+rag"]
    assert {one["set"] for one in quoted} >= {"taught", "unseen"}
    for one in quoted:
        assert one["verified"] == one["citations"] >= one["citing"] > 0
    assert "citations verified (100%)" in doceo("evaluate", tiny_run, "--resamples", "200").stdout


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["ingest", "nowhere"], 1, "nowhere"),
        (["generate", "--out", "none"], 1, "There is no run"),
        (["generate"], 2, "SRC"),
        (["ask", ""], 2, "empty"),
        (["ask", "x?", "--run", "none"], 1, "There is no run"),
        (["ask", "x?", "--collection", "a/b"], 2, "a/b"),
        (["ask", "x?", "--no-documents"], 2, "--model"),
        (["ask", "x?", "--no-documents", "--model", "opnai:gpt"], 2, "openai"),
        (["ask", "x?", "--no-documents", "--model", "hf:./no/such/model"], 1, "no/such/model"),
        (["export", "none", "--out", "x"], 1, "There is no run"),
        (["finetune", "none", "--base", "x"], 1, "There is no run"),
        (["report", "none"], 1, "There is no run"),
        (["export-model", "none", "--to", "hf", "--out", "x"], 1, "There is no adapter, model or run"),
        (["serve", "none"], 1, "There is no run"),
        (["evaluate", "none"], 1, "There is no run"),
        (["ingest", "x", "--target-tokens", "1"], 2, "target_tokens"),
    ],
)
def test_what_goes_wrong_is_one_message_with_a_hint(arguments: list[str], code: int, words: str) -> None:
    result = doceo(*arguments)
    assert result.exit_code == code, result.stderr
    assert words in result.stderr
    assert "Traceback" not in result.output
    as_json = doceo(*arguments, "--json")
    error = json.loads(as_json.stdout)["error"]
    assert error["message"]
    assert error["hint"]


def test_an_empty_folder_and_an_unreadable_one(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert doceo("ingest", tmp_path / "empty", "--out", tmp_path / "r").exit_code == 3
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.pdf").write_bytes(b"%PDF-1.7 and no more \x00\x01\x02")
    result = doceo("ingest", tmp_path / "bad", "--out", tmp_path / "r")
    assert result.exit_code == 3
    assert "bad/a.pdf: damaged" in result.stderr


def test_a_wrong_key_in_the_file_is_named(library: Path) -> None:
    Path("doceo.toml").write_text("[chunk]\ntarget_token = 3\n")
    result = doceo("ingest", library)
    assert result.exit_code == 2
    assert "chunk.target_tokens" in result.stderr


def test_init_and_doctor() -> None:
    assert doceo("init").exit_code == 0
    assert "pairs" in Path("doceo.toml").read_text()
    again = doceo("init")
    assert again.exit_code == 2
    assert "--force" in again.stderr
    assert doceo("init", "--force").exit_code == 0
    result = doceo("doctor", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["ok"]
    assert {"database", "collections"} <= {finding["name"] for finding in told["findings"]}


def test_doctor_names_a_dead_server() -> None:
    result = doceo("doctor", "--teacher", "openai:m", "--base-url", "http://127.0.0.1:9/v1")
    assert result.exit_code == 1
    assert "127.0.0.1:9" in result.stdout


def test_an_unreachable_teacher_is_said_once(library: Path, tmp_path: Path) -> None:
    began = time.monotonic()
    result = doceo(
        "generate",
        library,
        "--teacher",
        "openai:m",
        "--base-url",
        "http://127.0.0.1:9/v1",
        "--out",
        tmp_path / "r",
        "--pairs",
        "4",
    )
    assert result.exit_code == 1
    assert "Text will be sent to 127.0.0.1:9" in result.stderr
    assert "http://127.0.0.1:9/v1" in result.stderr
    assert time.monotonic() - began < 60
    assert (tmp_path / "r" / "2-chunks" / "chunks.jsonl").exists()


def test_ctrl_c_ends_with_130_and_loses_nothing(library: Path, tmp_path: Path) -> None:
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    arguments = [
        "run",
        str(library),
        "--out",
        str(tmp_path / "r"),
        "--pairs",
        "10",
        "--epochs",
        "400",
    ]
    process = subprocess.Popen(
        [sys.executable, "-m", "doceo", *arguments],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        env=env,
        # A shell that runs the tests in the background has SIGINT ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    dataset = tmp_path / "r" / "4-dataset" / "manifest.json"
    until = time.monotonic() + 60
    while not dataset.exists() and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "continue" in errors
    assert dataset.exists()
    assert doceo("generate", "--out", tmp_path / "r", "--pairs", "10").exit_code == 0


def test_a_wrong_key_is_said_and_not_tried_again(
    library: Path, tmp_path: Path, refusing_server: tuple[str, list[str]]
) -> None:
    address, seen = refusing_server
    arguments = ["generate", library, "--teacher", "openai:m", "--base-url", address, "--concurrency", "1"]
    result = doceo(*arguments, "--out", tmp_path / "r", "--pairs", "4")
    assert result.exit_code == 1
    assert "key" in result.stderr
    assert address in result.stderr
    assert len(seen) <= 2


@pytest.fixture
def refusing_server() -> Iterator[tuple[str, list[str]]]:
    seen: list[str] = []

    class Refusing(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(self.path)
            error = {"message": "Incorrect API key provided", "type": "error", "code": "invalid_api_key"}
            body = json.dumps({"error": error}).encode()
            self.send_response(401)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusing)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1", seen
    server.shutdown()
    server.server_close()


def test_a_full_disk_is_said(library: Path, tmp_path: Path) -> None:
    script = 'ulimit -f 4; exec "$0" -m doceo ingest "$1" --out "$2"'
    found = subprocess.run(
        ["bash", "-c", f"trap '' XFSZ; {script}", sys.executable, str(library), str(tmp_path / "r")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert found.returncode == 1, found.stderr
    assert "disk is full" in found.stderr
    assert "Traceback" not in found.stderr
