"""`doceo finetune` over several files of rows, as its users meet it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from transformers import AutoModelForCausalLM, LlamaConfig
from typer.testing import CliRunner

from doceo.cli.main import app
from doceo.pretrain.tokenizer import train_tokenizer


def doceo(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["finetune", *(str(a) for a in arguments)], prog_name="doceo")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    tokenizer = train_tokenizer(["What is 1? It is 1."], 300, 128)
    sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = LlamaConfig(vocab_size=len(tokenizer), max_position_embeddings=128, **sizes)
    AutoModelForCausalLM.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    alpaca, faq, text = tmp_path / "alpaca.json", tmp_path / "faq.csv", tmp_path / "book.txt"
    alpaca.write_text(json.dumps([{"instruction": f"What is {n}?", "output": f"It is {n}."} for n in range(10)]))
    faq.write_text("Question,Answer\n" + "".join(f"Why {n}?,Because {n}.\n" for n in range(10)) + "Empty?,\n")
    text.write_text("It is so. " * 20)
    return [alpaca, faq, text]


def test_the_check_names_the_fault_or_shows_what_is_learned(base: Path, files: list[Path], tmp_path: Path) -> None:
    refused = doceo(*files, "--base", base, "--check")
    assert refused.exit_code == 1
    assert "row 12" not in refused.stderr
    assert "line 12, Answer: is empty; write the text" in refused.stderr
    assert "--skip-faulty" in refused.stderr
    shown = doceo(f"{files[0]}=0.5", *files[1:], "--base", base, "--check", "--skip-faulty")
    assert shown.exit_code == 0, shown.stderr
    assert "alpaca.json: 5 rows taken of 10 (alpaca)" in shown.stderr
    assert "faq.csv: 10 rows taken of 10 (question and answer, 1 faulty and left out)" in shown.stderr
    assert "<|im_start|>assistant\n⟦It is " in shown.stdout
    assert "Data: alpaca.json + faq.csv + book.txt (" in shown.stdout + shown.stderr
    assert list(tmp_path.glob("*rows*")) == list(tmp_path.glob(".*rows*")) == []


def test_the_report_is_one_object(base: Path, files: list[Path]) -> None:
    result = doceo(files[0], "--base", base, "--check", "--json")
    report = json.loads(result.stdout)
    assert (report["rows"], report["forms"], report["end_of_turn"]) == (10, {"alpaca": 10}, "<|im_end|>")
    broken = doceo(files[1], "--base", base, "--check", "--json")
    assert json.loads(broken.stdout)["error"]["code"] == "input"


def test_several_files_are_trained_together(base: Path, files: list[Path], tmp_path: Path) -> None:
    arguments = [files[0], f"{files[2]}=2", "--base", base, "--out", tmp_path / "out", "--epochs", "0.5", "--rank", "2"]
    assert doceo(*arguments).exit_code == 0
    report = json.loads((tmp_path / "out" / "data.json").read_text())
    assert report["forms"] == {"messages": 10, "text": 2}
    assert report["file"] == "alpaca.json + book.txt"
    assert "| alpaca.json + book.txt | sha256 " in (tmp_path / "out" / "README.md").read_text()
    assert list(json.loads((tmp_path / "out" / "finetuning.json").read_text())["data"]) == ["alpaca.json + book.txt"]
    again = doceo(*arguments)
    assert again.exit_code == 0
    assert "finetune   1/" not in again.stderr
    assert not list(tmp_path.glob(".*rows*"))
    other = doceo(*arguments, "--seed", "1")
    assert other.exit_code == 1


def test_what_does_not_go_together(base: Path, files: list[Path], tmp_path: Path) -> None:
    assert doceo(files[0], files[0], "--base", base, "--check").exit_code == 2
    assert doceo(f"{files[0]}=none", "--base", base, "--check").exit_code == 2
    assert doceo(*files[:2], "--base", base, "--print-trl").exit_code == 2
    (tmp_path / "run").mkdir()
    assert doceo(tmp_path / "run", files[0], "--base", base, "--check").exit_code == 2


def test_a_file_that_is_not_there_and_a_folder_of_files(base: Path, files: list[Path]) -> None:
    lost = doceo(files[0].with_name("lost.jsonl"), files[0], "--base", base, "--check")
    assert lost.exit_code == 1
    assert "lost.jsonl cannot be read: No such file" in lost.stderr
    folder = doceo(files[0].parent, "--base", base, "--check")
    assert "is a folder" in folder.stderr
    assert "Name the files in it" in folder.stderr
    run = files[0].parent / "run"
    (run / "4-dataset").mkdir(parents=True)
    (run / "notes.txt").touch()
    assert "is a folder" not in doceo(run, "--base", base, "--check").stderr


def test_an_empty_file_to_validate_on_is_refused(base: Path, files: list[Path], tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").write_text("")
    refused = doceo(files[0], "--base", base, "--validation", tmp_path / "none.jsonl", "--out", tmp_path / "out")
    assert refused.exit_code == 1
    assert "none.jsonl is empty" in refused.stderr
