"""What must not be lost, leaked or overwritten, whatever a command is given."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

import doceo
from data.manifest import read as read_manifest
from data.store import Run
from doceo.app.assistants import Assistants
from doceo.app.bases import base_of
from doceo.app.settings import load_settings
from doceo.cli.main import app
from doceo.core.errors import ConfigError, UsageError
from doceo.core.progress import Silent
from doceo.providers.shipped_model import shipped_folder


def run_doceo(*arguments: str | Path, stdin: str | None = None) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], input=stdin, prog_name="doceo")


def test_a_run_without_a_name_lies_under_runs_and_never_in_its_source(library: Path) -> None:
    papers = Path(shutil.copytree(library, "papers"))
    before = sorted(p.name for p in papers.iterdir())
    for _ in range(2):
        assert run_doceo("generate", "papers", "--pairs", "5").exit_code == 0
    assert sorted(p.name for p in papers.iterdir()) == before
    assert (Path("runs") / "papers" / "3-pairs" / "pairs.jsonl").exists()
    assert run_doceo("ingest", "papers/*.md").exit_code == 0
    assert not (Path("runs") / "*").exists()


def test_what_doceo_wrote_is_no_source(library: Path) -> None:
    project = Path(shutil.copytree(library, "project"))
    assert run_doceo("generate", project, "--pairs", "5", "--out", "project/run").exit_code == 0
    result = run_doceo("ingest", project, "--out", "project/run", "--json")
    assert json.loads(result.stdout)["documents"] == 6


def test_a_spelling_mistake_with_fresh_loses_nothing(library: Path, tmp_path: Path) -> None:
    assert run_doceo("generate", library, "--pairs", "5", "--out", tmp_path / "r").exit_code == 0
    assert run_doceo("generate", "libary", "--out", tmp_path / "r", "--fresh").exit_code == 1
    assert (tmp_path / "r" / "3-pairs" / "pairs.jsonl").exists()
    before = (tmp_path / "r" / "3-pairs" / "manifest.json").stat().st_mtime_ns
    assert run_doceo("generate", library, "--pairs", "5", "--out", tmp_path / "r", "--fresh").exit_code == 0
    assert (tmp_path / "r" / "3-pairs" / "manifest.json").stat().st_mtime_ns != before


def test_a_folder_with_other_files_is_not_replaced_by_an_adapter(tiny_run: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.txt").write_text("precious")
    rows = tiny_run / "4-dataset" / "train.jsonl"
    for out in (tmp_path / "thesis", "."):
        Path("here.txt").write_text("precious")
        result = run_doceo("finetune", rows, "--out", out, "--force")
        assert result.exit_code == 2, result.stderr
    assert (tmp_path / "thesis" / "thesis.txt").read_text() == "precious"


@pytest.mark.slow
def test_finetune_keeps_the_base_and_the_split_of_its_run(tiny_run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(tiny_run, tmp_path / "tiny")
    own = shutil.copytree(shipped_folder(), tmp_path / "own")
    result = run_doceo("finetune", copy, "--epochs", "0.2", "--base", own)
    assert result.exit_code == 1
    assert "--force" in result.stderr
    assert base_of(Run(copy)) == str(shipped_folder())
    assert run_doceo("finetune", copy, "--epochs", "0.2", "--base", own, "--force").exit_code == 0
    assert run_doceo("finetune", copy, "--epochs", "0.3", "--force").exit_code == 0
    assert base_of(Run(copy)) == str(own)


def test_an_adapter_of_another_dataset_is_not_scored(tiny_run: Path, library: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(tiny_run, tmp_path / "tiny")
    doceo.generate(library, out=copy, pairs=20, generate={"seed": 3})
    result = run_doceo("evaluate", copy)
    assert result.exit_code == 1
    assert "another dataset" in result.stderr
    assert run_doceo("evaluate", copy, "--systems", "quote+rag").exit_code == 0


def test_a_run_without_a_model_does_not_ask_an_earlier_one(tiny_run: Path, library: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(tiny_run, tmp_path / "tiny")
    result = run_doceo("run", library, "--out", copy, "--pairs", "12", "--base", "none", "--no-open", "--json")
    assert result.exit_code == 0, result.stderr
    assert {score["system"] for score in json.loads(result.stdout)["scores"]} == {"quote+rag"}


def test_named_documents_take_their_copies_with_them(library: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(library, tmp_path / "lib")
    text = (folder / "ferry.md").read_text()
    (folder / "a-copy.md").write_text(text.replace("seven minutes", "eight minutes"))
    lines = [line for line in text.splitlines() if "ferry" in line]
    (folder / "garden.txt").write_text((folder / "garden.txt").read_text() + "\n\n# Neighbours\n\n" + " ".join(lines))
    run = doceo.generate(folder, out=tmp_path / "r", pairs=30, generate={"held_out": ["lib/ferry.md"]})
    trained = (run.path / "4-dataset" / "train.jsonl").read_text()
    unseen = [json.loads(line) for line in (run.path / "4-dataset" / "unseen.jsonl").read_text().splitlines()]
    assert unseen
    assert not any(row["metadata"]["evidence"][0]["quote"] in trained for row in unseen)


def test_a_misspelt_document_to_keep_out_is_named(library: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        doceo.generate(library, out=tmp_path / "r", pairs=5, generate={"held_out": ["library/fery.md"]})
    assert "library/ferry.md" in caught.value.hint


@pytest.mark.parametrize("file", ["3-pairs/pairs.jsonl", "3-pairs/ledger.json", "3-pairs/manifest.json"])
def test_a_damaged_run_is_said_in_words(library: Path, tmp_path: Path, file: str) -> None:
    doceo.generate(library, out=tmp_path / "r", pairs=5)
    (tmp_path / "r" / file).write_bytes(b'\xff\xfe{"a')
    for verb in (["report", tmp_path / "r", "--no-open"], ["finetune", tmp_path / "r", "--base", "x"]):
        result = run_doceo(*verb)
        assert "unforeseen" not in result.stderr


def test_odd_files_are_skipped_and_the_others_read(library: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(library, tmp_path / "odd")
    (folder / "loop").symlink_to(folder)
    (folder / "dead.md").symlink_to("/proc/1/mem")
    (folder / os.fsdecode(b"caf\xe9.md")).write_text("# Coffee\n\nThe coffee is hot.")
    (folder / "new\nline.md").write_text("# Line\n\nThe line is new.")
    result = run_doceo("ingest", folder, "--out", tmp_path / "r", "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["documents"] == 8


def test_too_little_to_train_on_is_exit_3_not_a_failure(tmp_path: Path) -> None:
    (tmp_path / "table.md").write_text("| a | b |\n|---|---|\n| 1 | 2 |\n")
    result = run_doceo("run", tmp_path / "table.md", "--pairs", "3", "--out", tmp_path / "r", "--no-open")
    assert result.exit_code == 3, result.stderr
    assert "of 3 pairs" in result.stderr.splitlines()[-1]
    assert (tmp_path / "r" / "report.html").exists()


def test_another_folder_of_the_same_name_does_not_take_the_place_of_the_first(library: Path, tmp_path: Path) -> None:
    for parent in ("A", "B"):
        (tmp_path / parent / "docs").mkdir(parents=True)
        (tmp_path / parent / "docs" / f"{parent}.md").write_text(f"# {parent}\n\nThe house {parent} is tall and old.")
    assert run_doceo("index", tmp_path / "A" / "docs").exit_code == 0
    result = run_doceo("index", tmp_path / "B" / "docs")
    assert result.exit_code == 2
    assert "--sync" in result.stderr
    assert run_doceo("index", tmp_path / "B" / "docs", "--sync").exit_code == 0
    (tmp_path / "empty").mkdir()
    assert run_doceo("index", tmp_path / "empty", "--collection", "none").exit_code == 3


def test_what_a_service_offers(library: Path, tmp_path: Path) -> None:
    assert Assistants(load_settings({}), Silent()).names() == ["doceo-5m"]
    assert run_doceo("index", library, "--collection", "c").exit_code == 0
    (Path("runs") / ".collections" / "a+b").mkdir()
    assert Assistants(load_settings({}), Silent()).names() == ["doceo-5m", "doceo-5m+c", "quote+c"]
    run = doceo.generate(library, out=tmp_path / "r", pairs=4)
    assert Assistants(load_settings({}), Silent(), Run(run.path)).names() == ["doceo-5m", "doceo-5m+c", "quote+c"]


def test_a_conversation_that_failed_says_so_by_its_exit_code() -> None:
    arguments = ["chat", "--no-documents", "--model", "openai:x", "--base-url", "http://127.0.0.1:9/v1"]
    assert run_doceo(*arguments, stdin="hi\n").exit_code == 1


def test_a_conversation_as_json_is_one_object(tiny_run: Path) -> None:
    result = run_doceo(
        "chat", tiny_run, "--json", stdin="When was the Bryne ferry opened?\nHow many cars does it carry?\n"
    )
    assert len(json.loads(result.stdout)["answers"]) == 2


def test_unknown_variables_and_files_of_other_encodings_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCEO_TEACHR", "x")
    with pytest.raises(ConfigError, match="DOCEO_TEACHR") as caught:
        load_settings({})
    assert "DOCEO_TEACHER" in caught.value.hint
    monkeypatch.delenv("DOCEO_TEACHR")
    Path("doceo.toml").write_bytes(b'teacher = "\xff"\n')
    with pytest.raises(ConfigError):
        load_settings({})


def test_a_very_long_question_is_answered_in_time(tiny_run: Path) -> None:
    assert doceo.ask("When was the Bryne ferry opened? " * 4000, run=tiny_run).text


def test_the_manifest_tells_how_long_the_work_took(tiny_run: Path) -> None:
    for stage in ("1-documents", "5-adapter", "6-answers"):
        made = read_manifest(tiny_run / stage)
        assert made is not None
        assert made.wall_s > 0.02, stage


def test_an_index_of_an_older_format_is_made_anew_from_the_run(tiny_run: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(tiny_run, tmp_path / "tiny")
    (manifest,) = (copy / "index").glob("0*/manifest.json")
    manifest.write_text(json.dumps({**json.loads(manifest.read_text()), "format": 1}))
    said = run_doceo("evaluate", copy, "--systems", "quote+rag", "--resamples", "100")
    assert said.exit_code == 0
    assert "an older Doceo made it" in said.stderr
    assert json.loads(next((copy / "index").glob("0*/manifest.json")).read_text())["format"] > 1
