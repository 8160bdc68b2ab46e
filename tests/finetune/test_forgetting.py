"""How base and tuned model compare: against a computation by hand, with the adapter off and on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from doceo.core.config import FinetuneConfig
from doceo.core.progress import Silent
from doceo.core.records import ChatRequest, Message
from doceo.providers.hf_models import open_model
from doceo.providers.local_hf import LocalModel
from finetune.examples import IGNORED, Encoded
from finetune.finetuned import Finetuned
from finetune.forgetting import TEXT, Forgetting, windows
from finetune.lora import finetune
from finetune.scoring import score

from .conftest import FACTS, rows, write_rows


@pytest.fixture(scope="module")
def tuned(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Finetuned]:
    work = tmp_path_factory.mktemp("forgetting")
    train = write_rows(work / "rows.jsonl", list(rows(FACTS)))
    config = FinetuneConfig(rank=4, epochs=6, batch_size=3, learning_rate=3e-2, sample_answers=2)
    return work / "out", finetune(train, train, str(tiny_base), config, work / "out", Silent())


def test_the_score_is_that_of_a_plain_computation(tiny_base: Path) -> None:
    opened = open_model(str(tiny_base))
    data = [Encoded([5, 6, 7, 8, 9], [IGNORED, IGNORED, 7, 8, 9]), Encoded([11, 12, 13], [IGNORED, 12, 13])]
    losses, right = [], []
    for row in data:
        with torch.no_grad():
            logits = opened.model(torch.tensor([row.input_ids])).logits[0]
        for place, label in enumerate(row.labels[1:]):
            if label != IGNORED:
                losses.append(-torch.log_softmax(logits[place], -1)[label].item())
                right.append(int(logits[place].argmax()) == label)
    found = score(opened.model, data, 0, half=False)
    assert found.tokens == 5
    assert found.loss == pytest.approx(sum(losses) / 5, rel=1e-5)
    assert found.accuracy == sum(right) / 5


def test_the_general_text_ships_and_is_read_whole(tiny_base: Path) -> None:
    text = TEXT.read_text(encoding="utf-8")
    assert 20_000 < len(text) < 40_000
    assert text.isascii()
    opened = open_model(str(tiny_base))
    cut = windows(opened, text)
    assert "".join(str(opened.tokenizer.decode(row.input_ids)) for row in cut) == text
    assert all(row.labels == [IGNORED, *row.input_ids[1:]] and len(row.input_ids) <= 256 for row in cut)


def test_base_and_adapter_are_compared_with_the_adapter_off_and_on(
    tiny_base: Path, tuned: tuple[Path, Finetuned]
) -> None:
    from peft import PeftModel

    folder, made = tuned
    opened = open_model(str(tiny_base))
    text = windows(opened, TEXT.read_text(encoding="utf-8"))
    before = score(opened.model, text, opened.tokenizer.pad_token_id, half=False)
    adapted = PeftModel.from_pretrained(open_model(str(tiny_base)).model, folder)
    after = score(adapted, text, opened.tokenizer.pad_token_id, half=False)
    assert made.forgetting is not None
    assert made.compared is not None
    assert made.forgetting.base_loss == pytest.approx(before.loss, abs=1e-3)
    assert made.forgetting.loss == pytest.approx(after.loss, abs=1e-3)
    assert made.forgetting.rise == pytest.approx(after.loss - before.loss, abs=1e-3)
    assert made.compared.loss < made.compared.base_loss
    assert made.compared.accuracy > made.compared.base_accuracy


def test_a_replay_mix_is_suggested_where_much_was_lost() -> None:
    much = Forgetting(tokens=10, base_loss=3.0, loss=3.5)
    assert much.rise == 0.5
    assert "mix about 200 general rows (20%)" in much.advice(1000)
    assert "mix about 50 general rows (5%)" in Forgetting(tokens=10, base_loss=3.0, loss=3.05).advice(1000)
    assert Forgetting(tokens=10, base_loss=3.0, loss=2.9).advice(1000).startswith("Nothing to do")


def test_card_and_samples_say_what_came_of_it(tuned: tuple[Path, Finetuned]) -> None:
    folder, made = tuned
    card = (folder / "README.md").read_text()
    assert f"base_model: {json.dumps(made.base)}" in card
    assert made.data["rows.jsonl"] in card
    assert "General text: loss" in card
    assert made.base_revision.startswith("sha256 ")
    samples = [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]
    assert set(samples[0]) == {"step", "question", "reference", "answer"}
    assert len(samples) == 2 * 6
    last = [line for line in samples if line["step"] == made.steps]
    assert [line["question"] for line in last] == list(FACTS)[:2]
    assert [line["reference"] for line in last] == list(FACTS.values())[:2]
    model = LocalModel(folder)
    for line in last:
        asked = ChatRequest(messages=(Message(role="user", content=line["question"]),), max_tokens=48)
        assert model.complete(asked).text == line["answer"]
