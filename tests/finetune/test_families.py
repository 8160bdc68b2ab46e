"""Models of every family that guides for beginners name: rows, training, an answer, and the merge."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from doceo.core.config import FinetuneConfig
from doceo.core.progress import Silent
from doceo.core.records import ChatRequest, Message
from doceo.providers.hf_models import open_model, open_tokenizer
from doceo.providers.local_hf import LocalModel
from doceo.providers.local_settings import ends
from finetune.checks import load_rows
from finetune.examples import IGNORED, encode_rows, marked
from finetune.lora import finetune

from .conftest import FACTS, rows, write_rows
from .model_families import CONTEXT, MODELS, make_model

_QUICK = FinetuneConfig(rank=4, alpha=8, epochs=1, batch_size=3, learning_rate=1e-2, sample_answers=0)
_ASKED = "What is a chunk?"


@pytest.fixture(scope="module", params=MODELS)
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(request.param, tmp_path_factory.mktemp("family") / request.param)


@pytest.fixture(scope="module")
def adapter(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapter")
    lines = [*rows(FACTS), *rows({"Too long? " * CONTEXT: "Yes."})]
    finetune(write_rows(folder / "rows.jsonl", lines), None, str(base), _QUICK, folder / "out", Silent())
    return folder / "out"


def test_the_answer_and_its_end_are_learned(base: Path, train_file: Path) -> None:
    opened = open_model(str(base))
    assert opened.context == CONTEXT
    marks = ends(LocalModel(base)._weights)
    dataset = encode_rows(opened.tokenizer, load_rows(train_file).rows, opened.context)
    assert len(dataset.rows) == len(FACTS)
    for row, answer in zip(dataset.rows, FACTS.values(), strict=True):
        learned = [label for label in row.labels if label != IGNORED]
        text = opened.tokenizer.decode(learned[:-1]).removeprefix("<think>\n\n</think>\n\n")
        assert text.strip() == answer
        assert learned[-1] in marks
    if base.name == "open-llama":
        assert marked(opened.tokenizer, dataset.rows[0]).startswith("<s>User: ")


def test_two_steps_move_every_layer_and_leave_the_long_row_out(adapter: Path) -> None:
    from safetensors.torch import load_file

    done = json.loads((adapter / "training.jsonl").read_text().splitlines()[-1])
    assert done["step"] == 2
    moved = {key: value for key, value in load_file(adapter / "adapter_model.safetensors").items() if "lora_B" in key}
    assert len(moved) >= 6
    assert all(bool(value.abs().max() > 0) for value in moved.values())


def test_the_tuned_model_answers_and_stops(base: Path, adapter: Path) -> None:
    model = LocalModel(adapter)
    assert model.context == CONTEXT
    request = ChatRequest(messages=(Message(role="user", content=_ASKED),), max_tokens=8)
    first, again = model.complete(request), model.complete(request)
    assert first.text == again.text
    assert first.usage.completion_tokens <= 8
    shown = open_tokenizer(str(adapter))
    assert shown.chat_template == open_tokenizer(str(base)).chat_template


def test_the_merged_model_says_the_same(base: Path, adapter: Path, tmp_path: Path) -> None:
    from peft import PeftModel

    opened = open_model(str(base))
    ids = torch.tensor([opened.tokenizer("What is a chunk? Answer:", add_special_tokens=False)["input_ids"]])
    with torch.inference_mode():
        before = opened.model(ids).logits
        tuned = PeftModel.from_pretrained(opened.model, adapter).eval()
        wanted = tuned(ids).logits
        merged = tuned.merge_and_unload()
        merged.save_pretrained(tmp_path)
        opened.tokenizer.save_pretrained(tmp_path)
        found = open_model(str(tmp_path)).model(ids).logits
    assert (wanted - before).abs().max() > 1e-4
    torch.testing.assert_close(found, wanted, rtol=0, atol=1e-5)
