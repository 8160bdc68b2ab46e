"""Where an export cannot be made or does not suit a program, what is said; and at which marks its answers end."""

from __future__ import annotations

import json
import resource
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from data.disk import disk_errors
from doceo.app.exporting import export_model
from doceo.core.config import ExportConfig
from doceo.core.errors import ExportFailed, ModelNotFound, StorageError, UsageError
from doceo.core.progress import Silent
from finetune.export.vllm import write_adapter
from tests.finetune.tiny_models import tiny_adapter, tiny_tokenizer

pytest.importorskip("gguf")
pytest.importorskip("xllamacpp")


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_adapter(tmp_path_factory.mktemp("llama"), "llama")


def export(source: Path, form: str, out: Path, **config: Any) -> Any:
    short = {"positions": 60, "answer_tokens": 4}
    return export_model(str(source), form, out, ExportConfig(**(short | config)), Silent())


def test_the_mark_behind_a_turn_ends_answers_where_no_file_of_the_base_says_so(tmp_path: Path) -> None:
    own = tiny_adapter(tmp_path, "llama")
    base = tmp_path / "base"
    for file in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        text = (base / file).read_text().replace('"eos_token": "<|im_end|>"', '"eos_token": "<|endoftext|>"')
        (base / file).write_text(text.replace("<|im_end|>", "<|stop|>"))
    for file in ("config.json", "generation_config.json"):
        (base / file).write_text((base / file).read_text().replace('"eos_token_id": 2', '"eos_token_id": 0'))
    assert export(own, "hf", tmp_path / "hf").parity.ends_equal is True
    assert json.loads((tmp_path / "hf" / "generation_config.json").read_text())["eos_token_id"] == [0, 2]
    assert export(own, "ollama", tmp_path / "ollama", quantize="f32").parity.ends_equal is True
    assert 'PARAMETER stop "<|stop|>"' in (tmp_path / "ollama" / "Modelfile").read_text()
    assert "stop_token_ids [2]" in export(own, "vllm", tmp_path / "vllm").parity.note


def test_other_families_are_told_the_command(tmp_path: Path) -> None:
    from transformers import GPT2Config, GPT2LMHeadModel

    tokenizer = tiny_tokenizer()
    config = GPT2Config(vocab_size=len(tokenizer), n_embd=32, n_layer=1, n_head=2, n_positions=256)
    GPT2LMHeadModel(config).save_pretrained(tmp_path / "gpt2")
    tokenizer.save_pretrained(tmp_path / "gpt2")
    with pytest.raises(ExportFailed, match="gpt2 family") as caught:
        export(tmp_path / "gpt2", "gguf", tmp_path / "x y")
    first, second = (shlex.split(part) for part in caught.value.hint.partition(": ")[2].split(" && "))
    merged = f"{tmp_path / 'x y'}-merged"
    assert first == ["doceo", "export-model", str(tmp_path / "gpt2"), "--to", "hf", "--out", merged]
    # a file beside the merged folder, so that its own folder is there
    file = f"{tmp_path / 'x y'}-q8_0.gguf"
    assert second == ["python", "convert_hf_to_gguf.py", merged, "--outfile", file, "--outtype", "q8_0"]
    assert export(tmp_path / "gpt2", "hf", tmp_path / "merged").parity.passed is True


@contextmanager
def small_files_only() -> Iterator[None]:
    """Refuse files of more than 20,000 bytes, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("form", ["hf", "gguf", "vllm"])
def test_a_full_disk_is_told_and_leaves_what_was_there(form: str, adapter: Path, tmp_path: Path) -> None:
    out = tmp_path / "x"
    out.mkdir()
    (out / "parity.json").write_text("{}")
    with small_files_only(), pytest.raises(StorageError, match="disk is full"):
        export(adapter, form, out)
    assert [file.name for file in tmp_path.rglob("*")] == ["x", "parity.json"]


def test_a_base_that_was_moved_is_told_and_where_to_name_it(tmp_path: Path) -> None:
    moved = tiny_adapter(tmp_path, "llama")
    (tmp_path / "base").rename(tmp_path / "elsewhere")
    with pytest.raises(ModelNotFound, match=r"no longer in .*base") as caught:
        export(moved, "hf", tmp_path / "x")
    assert str(moved / "adapter_config.json") in caught.value.hint


def test_a_folder_of_other_files_is_left_alone(adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(UsageError, match="current folder"):
        export(adapter, "hf", Path())
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="other files"):
        export(adapter, "hf", tmp_path)
    with pytest.raises(UsageError, match="whole model"):
        export(adapter.parent / "base", "vllm", tmp_path / "x")
    with pytest.raises(UsageError, match="no form"):
        export(adapter, "onnx", tmp_path / "x")


def test_vllm_is_given_no_adapter_of_a_family_that_it_serves_merged_only(adapter: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportFailed, match="gpt2 family") as caught:
        write_adapter(adapter, "base", "gpt2", tmp_path / "x", tiny_tokenizer())
    assert "--to hf" in caught.value.hint
    assert not (tmp_path / "x").exists()


def test_what_tokenizers_says_of_a_full_disk_is_known(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="disk is full"), disk_errors(tmp_path):
        tiny_tokenizer().backend_tokenizer.save("/dev/full")
    with pytest.raises(KeyError), disk_errors(tmp_path):
        raise KeyError
