"""`doceo clean` and `doceo tokenizer` as their users meet them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from doceo.cli.main import app

LONG = "The keeper of the lighthouse climbed the stairs each evening to light the lamp before the boats came home."


def doceo(*arguments: str | Path, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], input=stdin, prog_name="doceo")


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "a.txt").write_text(f"{LONG}\n\n{LONG}\n\nA second paragraph that is like no other.\n\n* * *\n")
    (folder / "b.txt").write_bytes("Größe und Äpfel für Günther, schöne Grüße.".encode("cp1252"))
    return folder


def test_clean_shows_what_became_of_everything(texts: Path, tmp_path: Path) -> None:
    result = doceo("clean", texts, "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    for words in ("texts/a.txt", "cp1252", "duplicate", "no letters", "words of a kept paragraph", "█", "MB/s"):
        assert words in result.stdout
    assert f"doceo tokenizer {tmp_path}/out --out tok" in result.stdout
    assert f"doceo pretrain {tmp_path}/out --tokenizer tok --out model" in result.stdout


def test_clean_as_json_with_knobs(texts: Path, tmp_path: Path) -> None:
    result = doceo("clean", texts, "--out", tmp_path / "out", "--drop", "letters,short", "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["paragraphs"] == {"read": 5, "kept": 4, "dropped": {"no letters": 1}}
    assert report["encodings"] == {"utf-8": 1, "cp1252": 1}
    saved = json.loads((tmp_path / "out" / "report.json").read_text())
    assert report == {"folder": str(tmp_path / "out"), **saved}
    result = doceo("clean", texts, "--out", tmp_path / "out", "--drop", "leters")
    assert result.exit_code == 2
    assert "clean.drop" in result.stderr


def test_clean_with_nothing_left_is_exit_3(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("1 2 3\n\n4 5 6\n")
    result = doceo("clean", tmp_path / "a.txt", "--out", tmp_path / "out")
    assert result.exit_code == 3
    assert "Nothing was kept" in result.stderr.strip().splitlines()[-1]
    assert (tmp_path / "out" / "dropped.jsonl").exists()


@pytest.mark.parametrize("verb", ["clean", "tokenizer"])
def test_what_goes_wrong_is_said(verb: str, texts: Path, tmp_path: Path) -> None:
    result = doceo(verb, "nowhere.txt", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "There is no file or folder nowhere.txt" in result.stderr
    (tmp_path / "theirs").mkdir()
    (tmp_path / "theirs" / "thesis.md").write_text("years of work")
    result = doceo(verb, texts, "--out", tmp_path / "theirs", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["hint"]
    (tmp_path / "empty").mkdir()
    assert doceo(verb, tmp_path / "empty", "--out", tmp_path / "out").exit_code == 3
    assert doceo(verb, texts).exit_code == 2
    (tmp_path / "handbook.pdf").write_bytes(b"%PDF-1.7\n" + b"1 0 obj\n" * 9)
    result = doceo(verb, tmp_path / "handbook.pdf", "--out", tmp_path / "out")
    assert result.exit_code in (1, 3)
    assert "is a PDF, not text; doceo ingest reads documents" in " ".join(result.output.split())
    shutil.rmtree(tmp_path / "out", ignore_errors=True)
    assert not (tmp_path / "out").exists()


def test_tokenizer_from_cleaned_texts_and_rows(texts: Path, tmp_path: Path) -> None:
    assert doceo("clean", texts, "--out", tmp_path / "out").exit_code == 0
    result = doceo("tokenizer", tmp_path / "out", "--vocab-size", "300", "--out", tmp_path / "tok")
    assert result.exit_code == 0, result.output
    for words in ("tokens", "300", "characters per token", "Longest tokens", "--tokenizer"):
        assert words in result.stdout
    (tmp_path / "q.jsonl").write_text(json.dumps({"question": LONG, "answer": LONG[::-1]}))
    wrong = doceo("tokenizer", tmp_path / "q.jsonl", "--out", tmp_path / "tok")
    assert wrong.exit_code == 1
    assert "line 1: no field text (there are: question, answer)" in wrong.stderr
    assert "--fields" in wrong.stderr
    right = doceo(
        "tokenizer",
        tmp_path / "q.jsonl",
        "--fields",
        "question,answer",
        "--vocab-size",
        "400",
        "--out",
        tmp_path / "tok",
        "--json",
    )
    made = json.loads(right.stdout)
    assert made["characters"] == 2 * len(LONG) + 2
    assert made["tokens"] < made["asked"] == 400
    assert "not 400" in right.stderr


def test_piped_text_and_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = doceo("tokenizer", "-", "--vocab-size", "300", "--out", tmp_path / "tok", stdin=LONG)
    assert result.exit_code == 0, result.output
    (tmp_path / "here").mkdir()
    (tmp_path / "a.txt").write_text(LONG)
    monkeypatch.chdir(tmp_path / "here")
    result = doceo("clean", "../a.txt", "--out", ".")
    assert result.exit_code == 2
    assert "current folder" in result.stderr
