"""Preference tuning: rows in both forms, the loss of the paper, and real trainings of a few steps."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import TrainerCallback
from typer.testing import CliRunner

from doceo.app.stages.adapter import Manner, train_on_file
from doceo.cli.main import app
from doceo.core.config import FinetuneConfig
from doceo.core.errors import InputError, UsageError
from doceo.core.progress import Silent
from finetune.base import open_base
from finetune.checks import DPO, load_rows
from finetune.data_check import row_faults
from finetune.examples import Encoded, encode_rows, marked
from finetune.lora import finetune
from finetune.mixture import Source, mix
from finetune.recipe import recipe
from finetune.trainer import build_trainer

from .conftest import FACTS, rows, write_rows
from .test_resuming import Interrupted

QUICK = FinetuneConfig(
    objective="dpo", rank=4, alpha=8, epochs=4, batch_size=4, save_steps=2, learning_rate=1e-2, sample_answers=1
)


def choices() -> list[dict[str, Any]]:
    """Return rows in OpenAI's form: the right answer is preferred to one that says nothing."""
    turn = [[{"role": "assistant", "content": text}] for text in (*FACTS.values(), "Who knows, or cares?")]
    return [
        {"input": {"messages": [{"role": "user", "content": question}]}, "preferred_output": turn[n],
         "non_preferred_output": turn[-1]}
        for n, question in enumerate(FACTS)
    ]  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "choices.jsonl", list(choices()))


@pytest.fixture(scope="module")
def trained(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("preferred")
    write_rows(folder / "choices.jsonl", list(choices()))
    return train_on_file(
        folder / "choices.jsonl", folder / "out", str(tiny_base), QUICK.model_copy(update={"keep_passes": 2}),
        Silent(), Manner(), validation=folder / "choices.jsonl",
    )  # fmt: skip


def log(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) | {"seconds": 0} for line in (folder / "training.jsonl").read_text().splitlines()]


def test_both_forms_say_the_same(tmp_path: Path, file: Path) -> None:
    ours = choices()
    prompts = [row["input"]["messages"] for row in ours]
    pairs = [(row["preferred_output"], row["non_preferred_output"]) for row in ours]
    forms: dict[str, list[object]] = {
        "lists": [{"prompt": asked, "chosen": a, "rejected": b} for asked, (a, b) in zip(prompts, pairs, strict=True)],
        "texts": [
            {"prompt": asked[0]["content"], "chosen": a[0]["content"], "rejected": b[0]["content"]}
            for asked, (a, b) in zip(prompts, pairs, strict=True)
        ],
        "whole": [
            {"prompt": asked[0]["content"], "chosen": asked + a, "rejected": asked + b, "messages": asked + a}
            for asked, (a, b) in zip(prompts, pairs, strict=True)
        ],
    }
    expected = load_rows(file, objective=DPO).rows
    assert expected[0].rejected == "Who knows, or cares?"
    for name, found in forms.items():
        path = write_rows(tmp_path / f"{name}.jsonl", found)
        assert load_rows(path, objective=DPO).rows == expected, name
    mix([Source(str(file))], tmp_path / "mixed.jsonl", 0)
    assert [row._replace(unit="line") for row in load_rows(tmp_path / "mixed.jsonl", objective=DPO).rows] == expected


def test_each_objective_takes_what_it_can_learn_from(tmp_path: Path, file: Path) -> None:
    alone = load_rows(file)
    assert not any(row.rejected for row in alone.rows)
    assert [row.messages[-1].content for row in alone.rows] == list(FACTS.values())
    answers = write_rows(tmp_path / "answers.jsonl", [*choices()[:1], *rows(FACTS)])
    faults = row_faults(answers, DPO)
    assert [fault.line for fault in faults] == list(range(2, 8))
    assert row_faults(answers, "sft") == []
    with pytest.raises(InputError, match=r"line 2, non_preferred_output: is missing: --objective dpo learns from two"):
        load_rows(answers, objective=DPO)


def test_both_answers_follow_one_prompt(tiny_base: Path, file: Path) -> None:
    tokenizer = open_base(str(tiny_base)).tokenizer
    (row, *_) = encode_rows(tokenizer, load_rows(file, objective=DPO).rows, 256).rows
    prompt, better, worse = row.input_ids[: row.prompt], row.input_ids[row.prompt :], list(row.rejected)
    assert row.labels == [-100] * len(prompt) + better
    texts = [tokenizer.decode(ids) for ids in (prompt, better, worse)]
    assert texts[0].endswith("<|im_start|>assistant\n")
    assert texts[1:] == ["A chunk is a passage of a document.<|im_end|>", "Who knows, or cares?<|im_end|>"]
    assert row.length == len(prompt) + max(len(better), len(worse))
    assert row.tokens == 2 * len(prompt) + len(better) + len(worse)
    assert marked(tokenizer, row).endswith("⟧\nrather than ⟦Who knows, or cares?<|im_end|>⟧")


def _sum_of_logs(model: Any, prompt: list[int], answer: list[int]) -> float:
    """Return the log-probability of an answer, from the model's own logits."""
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([prompt + answer])).logits[0].double()
    said = logits.log_softmax(-1)[len(prompt) - 1 : -1]
    return float(said[range(len(answer)), answer].sum())


def test_the_loss_is_that_of_the_paper(tiny_base: Path, tmp_path: Path, file: Path) -> None:
    """Rafailov et al. 2023, equation 7: -log sigmoid(beta * (log ratio of the chosen - log ratio of the rejected))."""
    opened = open_base(str(tiny_base))
    found = encode_rows(opened.tokenizer, load_rows(file, objective=DPO).rows, 256).rows[:2]
    config = QUICK.model_copy(update={"beta": 0.3, "batch_size": 2})
    trainer = build_trainer(opened, found, [], recipe(config, opened), config, tmp_path, [], save_strategy="no")
    torch.manual_seed(3)
    with torch.no_grad():
        for name, value in trainer.model.named_parameters():
            if "lora_B" in name:
                value.normal_(0.0, 0.05)
    trainer.model.eval()

    def ratio(row: Encoded, answer: list[int]) -> float:
        prompt = row.input_ids[: row.prompt]
        with trainer.model.disable_adapter():
            before = _sum_of_logs(trainer.model, prompt, answer)
        return _sum_of_logs(trainer.model, prompt, answer) - before

    margins = [0.3 * (ratio(row, row.input_ids[row.prompt :]) - ratio(row, list(row.rejected))) for row in found]
    expected = sum(math.log1p(math.exp(-margin)) for margin in margins) / 2
    batch = next(iter(trainer.get_train_dataloader()))
    with torch.no_grad():
        assert float(trainer.compute_loss(trainer.model, batch)) == pytest.approx(expected, abs=1e-5)
    assert abs(expected - math.log(2)) > 1e-3
    figures = trainer.means["eval"].taken()
    assert figures["reward_margin"] == pytest.approx(sum(margins) / 2, abs=1e-5)
    assert figures["reward_accuracy"] == sum(margin > 0 for margin in margins) / 2


def test_the_preferred_answers_win(trained: Path) -> None:
    lines = log(trained)
    steps = [line for line in lines if line["loss"] is not None]
    assert steps[0]["loss"] == pytest.approx(math.log(2), abs=1e-6)
    assert steps[-1]["loss"] < 0.3
    assert steps[-1]["reward_margin"] > 1
    record = json.loads((trained / "finetuning.json").read_text())
    assert (record["objective"], record["reward_accuracy"], record["steps"]) == ("dpo", 1.0, 8)
    assert record["tokens"] == lines[-1]["tokens"] > 0
    assert "gained more in 100.0% of the pairs" in (trained / "README.md").read_text()
    table = list(csv.DictReader((trained / "results.csv").open()))
    assert float(table[-1]["valid_loss"]) == pytest.approx(record["eval_loss"], abs=1e-3)
    assert (trained / "passes" / "step-8" / "adapter_model.safetensors").exists()


@pytest.mark.slow
def test_an_adapter_is_what_a_further_training_is_compared_with(
    tiny_base: Path, trained: Path, tmp_path: Path, file: Path
) -> None:
    """Its first loss is log 2 again; cut and gone on with, it equals one that was left alone."""
    config = QUICK.model_copy(update={"rank": None, "alpha": None, "epochs": 2.0})
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    train_on_file(file, whole, str(tiny_base), config, Silent(), Manner(start=trained))
    assert log(whole)[0]["loss"] == pytest.approx(math.log(2), abs=1e-6)
    assert not (whole / "ref").exists()
    with pytest.raises(KeyboardInterrupt):
        train_on_file(file, cut, str(tiny_base), config, Interrupted(4), Manner(start=trained))
    train_on_file(file, cut, str(tiny_base), config, Silent(), Manner(start=trained, resume=True))
    assert log(cut) == log(whole)
    first, second = (load_file(folder / "adapter_model.safetensors") for folder in (whole, cut))
    assert all(torch.equal(first[name], second[name]) for name in first)
    records = [json.loads((folder / "finetuning.json").read_text()) for folder in (whole, trained)]
    assert records[0]["parameters"] == records[1]["parameters"]
    assert records[0]["trainable"] == records[1]["trainable"]


def test_every_pair_counts_the_same_however_many_go_through_at_once(
    tiny_base: Path, tmp_path: Path, file: Path
) -> None:
    """Of four pairs a step, three at once leave one alone; its gradient is a fourth of the step's."""
    opened = open_base(str(tiny_base))
    found = encode_rows(opened.tokenizer, load_rows(file, objective=DPO).rows, 256).rows[:4]
    config = QUICK.model_copy(update={"epochs": 1.0})
    changes = {"per_device_train_batch_size": 3, "gradient_accumulation_steps": 2}
    norms = []

    class Norms(TrainerCallback):
        def on_pre_optimizer_step(self, args: Any, state: Any, control: Any, **more: Any) -> None:
            gradients = [p.grad.norm() for p in more["model"].parameters() if p.grad is not None]
            norms.append(float(torch.stack(gradients).norm()))

    for change in ({}, changes):
        opened = open_base(str(tiny_base))
        trainer = build_trainer(
            opened, found, [], recipe(config, opened), config, tmp_path, [Norms()], save_strategy="no",
            max_grad_norm=0.0, **change,
        )  # fmt: skip
        trainer.train()
    assert norms[0] == pytest.approx(norms[1], rel=1e-4)


def test_what_preference_tuning_does_not_do(tiny_base: Path, file: Path, tmp_path: Path) -> None:
    for change, words in (({"method": "full"}, "trains an adapter"), ({"packing": "on"}, "packs no rows")):
        config = FinetuneConfig.model_validate(QUICK.model_dump() | change)
        with pytest.raises(UsageError, match=words):
            finetune(file, None, str(tiny_base), config, tmp_path / "no", Silent())
    words = ["finetune", file, "--base", tiny_base, "--objective", "dpo"]
    command = CliRunner().invoke(app, [*map(str, words), "--print-trl"], prog_name="doceo")
    assert command.exit_code == 2
    checked = CliRunner().invoke(app, [*map(str, words), "--check", "--json"], prog_name="doceo")
    report = json.loads(checked.stdout)
    assert report["forms"] == {"preferences": 6}
    assert "rather than ⟦Who knows" in report["sample"]
