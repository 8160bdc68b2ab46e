"""Exports are the trained model, and a broken export is found out: each runs for real, GGUF in llama.cpp."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

from data.store import Run
from doceo.app.exporting import conversations, export_model
from doceo.core.config import ExportConfig
from doceo.core.errors import ExportFailed
from doceo.core.progress import Silent
from finetune.export import forms, gguf_writer, ollama
from finetune.export.parity import TOLERANCES
from finetune.export.probes import PROBES
from tests.finetune.tiny_models import tiny_adapter, tiny_model, tiny_tokenizer

pytest.importorskip("gguf")
pytest.importorskip("xllamacpp")
SHORT: dict[str, Any] = {"positions": 250, "answer_tokens": 6}
FAMILIES = ("llama", "qwen2", "qwen3")


@pytest.fixture(scope="module")
def adapters(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: tiny_adapter(tmp_path_factory.mktemp(name), name) for name in FAMILIES}


def export(adapter: Path, form: str, out: Path, **config: Any) -> Any:
    return export_model(str(adapter), form, out, ExportConfig(**(SHORT | config)), Silent())


def report(out: Path) -> dict[str, Any]:
    return dict(json.loads((out / "parity.json").read_text()))


@pytest.mark.parametrize("family", FAMILIES)
def test_a_gguf_in_f32_is_the_trained_model_in_llama_cpp(
    adapters: dict[str, Path], family: str, tmp_path: Path
) -> None:
    made = export(adapters[family], "gguf", tmp_path / "x", quantize="f32").parity
    assert made.passed is True
    assert made.token_ids_equal
    assert made.ends_equal
    assert made.top1_agreement == 1.0
    assert made.answers_equal == made.answers > 2
    assert made.loss == pytest.approx(made.loss_reference, abs=1e-4)
    assert made.positions == 250
    assert "llama.cpp" in made.checked_with
    assert report(tmp_path / "x")["tolerance"] == TOLERANCES["f32"].model_dump()


def test_half_precision_passes_and_a_quantised_file_that_is_too_coarse_says_so(
    adapters: dict[str, Path], tmp_path: Path
) -> None:
    half = export(adapters["llama"], "gguf", tmp_path / "f16", quantize="f16").parity
    assert half.passed is True
    # A model of random weights has no clear favourites: eight bits change more of them than is allowed.
    coarse = export(adapters["llama"], "gguf", tmp_path / "q8", quantize="q8_0").parity
    assert coarse.token_ids_equal
    assert abs(coarse.loss_rise) < 0.02
    assert (coarse.passed, coarse.warns) == (False, True)
    assert "Warning: less exact" in (tmp_path / "q8" / "README.md").read_text()
    sizes = [next((tmp_path / name).glob("*.gguf")).stat().st_size for name in ("f16", "q8")]
    assert sizes[1] < 0.75 * sizes[0]


def test_a_merged_folder_is_the_trained_model_and_has_no_adapter(adapters: dict[str, Path], tmp_path: Path) -> None:
    made = export(adapters["qwen3"], "hf", tmp_path / "x").parity
    assert made.passed is True
    assert made.logits_max_difference < 1e-4
    assert not list((tmp_path / "x").glob("adapter*"))
    assert (tmp_path / "x" / "chat_template.jinja").exists()
    assert json.loads((tmp_path / "x" / "generation_config.json").read_text())["eos_token_id"] == [2]
    half = export(adapters["qwen3"], "hf", tmp_path / "half", dtype="float16").parity
    assert half.form == "merged, float16"
    with safe_open(tmp_path / "half" / "model.safetensors", "pt") as file:
        assert {file.get_tensor(name).dtype for name in file.keys()} == {torch.float16}  # noqa: SIM118
    # a merged folder is a whole model, which is exported like an adapter
    assert export(tmp_path / "x", "gguf", tmp_path / "again", quantize="f32").parity.passed is True


def test_an_adapter_for_vllm_has_only_what_vllm_reads(adapters: dict[str, Path], tmp_path: Path) -> None:
    made = export(adapters["llama"], "vllm", tmp_path / "x")
    assert made.parity.passed is True
    config = json.loads((tmp_path / "x" / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"], config["bias"]) == (4, 8, "none")
    assert set(config) < {
        "r", "lora_alpha", "lora_dropout", "bias", "target_modules", "peft_type", "task_type", "inference_mode",
        "base_model_name_or_path", "use_rslora", "use_dora", "modules_to_save", "fan_in_fan_out", "revision",
    }  # fmt: skip
    command = made.commands[0]
    assert "--enable-lora --max-lora-rank 8" in command
    assert f"--lora-modules x={tmp_path / 'x'}" in command


@pytest.mark.parametrize(
    ("lora", "words"), [({"use_dora": True}, "DoRA"), ({"rank_pattern": {"q_proj": 2}}, "ranks by module")]
)
def test_vllm_is_not_given_what_it_would_ignore(lora: dict[str, object], words: str, tmp_path: Path) -> None:
    adapter = tiny_adapter(tmp_path, "llama", **lora)
    with pytest.raises(ExportFailed, match=words) as caught:
        export(adapter, "vllm", tmp_path / "x")
    assert "--to hf" in caught.value.hint
    assert export(adapter, "hf", tmp_path / "merged").parity.passed is True


def test_an_export_for_ollama_renders_the_same_prompts(adapters: dict[str, Path], tmp_path: Path) -> None:
    made = export(adapters["llama"], "ollama", tmp_path / "x", quantize="f32").parity
    assert made.passed is True
    assert "Ollama itself was not run" in made.note
    text = (tmp_path / "x" / "Modelfile").read_text()
    assert text.startswith("FROM ./x-f32.gguf\nTEMPLATE")
    assert 'PARAMETER stop "<|im_end|>"' in text


def test_ollama_create_is_run_where_the_program_is(
    adapters: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "bin" / "ollama"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/called\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    export(adapters["llama"], "ollama", tmp_path / "x", quantize="f32")
    assert (tmp_path / "called").read_text().split() == ["create", "x", "-f", str(tmp_path / "x" / "Modelfile")]


def broken(adapter: Path, form: str, out: Path, quantize: str = "f32") -> dict[str, Any]:
    """Export, expect it to be refused, and return the report that was left."""
    with pytest.raises(ExportFailed, match="not the model that was trained"):
        export(adapter, form, out, quantize=quantize)
    found = report(out)
    assert found["passed"] is False
    assert found["warns"] is False
    assert "FAILED" in (out / "README.md").read_text()
    return found


@pytest.mark.parametrize("quantize", ["f32", "f16", "q8_0"])
def test_a_wrong_permutation_is_found(
    quantize: str, adapters: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gguf_writer, "laid_out", lambda name, tensor, config: tensor)
    found = broken(adapters["llama"], "gguf", tmp_path / "x", quantize)
    assert found["token_ids_equal"] is True
    assert found["top1_agreement"] < 0.8


@pytest.mark.parametrize("change", ["end", "type", "template", "merges"])
def test_a_broken_vocabulary_is_found(
    change: str, adapters: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = gguf_writer.vocabulary

    def damaged(*args: Any) -> Any:
        made = whole(*args)
        turn = made.tokens.index("<|im_start|>")
        if change == "end":  # llama.cpp knows <|im_end|> by name; this model's end has another
            return made._replace(special=made.special | {"eos": made.special["pad"]})
        if change == "type":
            return made._replace(types=[1 if n == turn else kind for n, kind in enumerate(made.types)])
        if change == "merges":
            return made._replace(merges=made.merges[:40] + made.merges[41:])
        return made._replace(template=made.template.replace("assistant\\n", "bot\\n"))

    adapter = adapters["llama"]
    if change == "end":
        adapter = renamed_end(tmp_path)
    monkeypatch.setattr(gguf_writer, "vocabulary", damaged)
    found = broken(adapter, "gguf", tmp_path / "x")
    assert found["ends_equal" if change == "end" else "token_ids_equal"] is False


def renamed_end(folder: Path) -> Path:
    """Return a whole model whose end mark is called <|stop|>."""
    tokenizer = tiny_tokenizer()
    tiny_model("llama", tokenizer).save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    for file in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        path = folder / "model" / file
        path.write_text(path.read_text().replace("<|im_end|>", "<|stop|>"))
    return folder / "model"


def test_an_end_mark_of_another_name_is_kept(tmp_path: Path) -> None:
    assert export(renamed_end(tmp_path), "gguf", tmp_path / "x", quantize="f32").parity.ends_equal is True


def test_a_wrong_modelfile_is_found(adapters: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = "{{ range .Messages }}<|im_start|>{{ .Role }}\n{{ .Content }}<|im_end|>\n{{ end }}<|im_start|>assistant\n"
    monkeypatch.setattr(ollama, "go_template", lambda turns, begin="": other + " ")
    assert broken(adapters["llama"], "ollama", tmp_path / "x")["token_ids_equal"] is False


@pytest.mark.parametrize("change", ["adapter", "template", "end"])
def test_a_wrong_merged_folder_is_found(
    change: str, adapters: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = forms.save_merged

    def lost(model: Any, tokenizer: Any, folder: Path, dtype: Any) -> None:
        if change == "template":
            tokenizer.chat_template = tokenizer.chat_template.replace("<|im_start|>", "<|im_end|>")
        save(model, tokenizer, folder, dtype)
        if change == "end":
            for name in ("tokenizer_config.json", "generation_config.json"):
                path = folder / name
                path.write_text(path.read_text().replace('"eos_token": "<|im_end|>"', '"eos_token": "<|pad|>"'))
            config = json.loads((folder / "generation_config.json").read_text())
            (folder / "generation_config.json").write_text(json.dumps(config | {"eos_token_id": 3}))

    if change == "adapter":
        monkeypatch.setattr(forms, "merge", lambda trained: trained.model.unload())
    monkeypatch.setattr(forms, "save_merged", lost)
    found = broken(adapters["llama"], "hf", tmp_path / "x")
    wrong = {
        "adapter": found["top1_agreement"] == 1.0,
        "template": found["token_ids_equal"],
        "end": found["ends_equal"],
    }
    assert wrong[change] is False


def test_a_changed_scale_for_vllm_is_found(
    adapters: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(forms.write_adapter.__globals__["_FIXED"], "lora_alpha", 16)
    assert broken(adapters["llama"], "vllm", tmp_path / "x")["top1_agreement"] < 1.0


def test_without_llama_cpp_nothing_is_claimed(
    adapters: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "xllamacpp", None)
    made = export(adapters["llama"], "gguf", tmp_path / "x").parity
    assert made.passed is None
    assert made.token_ids_equal is None
    assert "was not run" in made.note
    assert "Not compared" in (tmp_path / "x" / "README.md").read_text()


def test_numbers_that_a_format_cannot_hold_are_found(tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer()
    model = tiny_model("qwen3", tokenizer)
    with torch.no_grad():  # float16 ends at 65,504; the norm behind makes the sizes the same again
        model.model.layers[0].self_attn.v_proj.weight.mul_(1e6)
        model.model.layers[0].self_attn.o_proj.weight.mul_(1e-6)
    model.save_pretrained(tmp_path / "model")
    tokenizer.save_pretrained(tmp_path / "model")
    assert export(tmp_path / "model", "gguf", tmp_path / "exact", quantize="f32").parity.passed is True
    for form in ("gguf", "hf"):
        with pytest.raises(ExportFailed, match="not the model that was trained"):
            export(tmp_path / "model", form, tmp_path / form, quantize="f16", dtype="float16")
        assert report(tmp_path / form)["passed"] is False


@pytest.mark.slow
def test_a_run_is_compared_on_its_held_out_questions_too(tiny_run: Path, tmp_path: Path) -> None:
    made = export(tiny_run, "gguf", tmp_path / "x", quantize="f32", positions=5000).parity
    assert made.passed is True
    rows = [line for name in ("unseen", "taught") for line in (tiny_run / "4-dataset" / f"{name}.jsonl").open()]
    assert made.prompts > len(PROBES) - 3
    assert len(conversations(Run(tiny_run))) == len(PROBES) + min(12, len(rows))
    again = export(tiny_run / "5-adapter", "gguf", tmp_path / "y", quantize="f32", positions=5000).parity
    assert again.prompts == made.prompts


def test_the_same_model_gives_the_same_bytes(adapters: dict[str, Path], tmp_path: Path) -> None:
    for name in ("a", "b"):
        export(adapters["qwen2"], "gguf", tmp_path / name / "x", quantize="f16")
    files = [sorted((tmp_path / name / "x").iterdir()) for name in ("a", "b")]
    for one, other in zip(*files, strict=True):
        same = one.read_bytes() == other.read_bytes()
        assert same or one.name == "README.md", one.name  # the card names the folder
