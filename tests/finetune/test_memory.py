"""What fits: worked out, measured by a step, and put right when the memory is not enough after all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from safetensors import SafetensorError

from doceo.core.config import FinetuneConfig
from doceo.core.errors import StorageError, TrainingError
from doceo.core.progress import Silent
from doceo.providers.hf_models import open_model
from finetune.answer_trainer import AnswerTrainer
from finetune.checks import load_rows
from finetune.examples import encode_rows
from finetune.failures import mapped, out_of_memory
from finetune.lora import finetune
from finetune.memory import estimate, fit
from finetune.need import need
from finetune.peak import Peak
from finetune.recipe import recipe

QUICK = FinetuneConfig(rank=4, alpha=8, epochs=4, batch_size=6, save_steps=1, learning_rate=1e-2)


class Heard(Silent):
    """Remembers what was said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def losses(folder: Path) -> list[float]:
    lines = [json.loads(line) for line in (folder / "training.jsonl").read_text().splitlines()]
    return [line["loss"] for line in lines if line["loss"] is not None]


def test_a_full_memory_halves_the_rows_at_once_and_changes_nothing_else(
    tiny_base: Path, train_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = finetune(train_file, None, str(tiny_base), QUICK, tmp_path / "whole", Silent())
    step = AnswerTrainer.training_step
    seen: list[int] = []

    def scarce(self: Any, model: Any, inputs: dict[str, Any], *more: Any) -> Any:
        rows = inputs["input_ids"].shape[0]
        seen.append(rows)
        if rows > 2 and self.state.global_step == 2:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate ...")
        return step(self, model, inputs, *more)

    monkeypatch.setattr(AnswerTrainer, "training_step", scarce)
    heard = Heard()
    made = finetune(train_file, None, str(tiny_base), QUICK, tmp_path / "scarce", heard)
    assert (whole.rows_at_once, made.rows_at_once, made.steps) == (6, 2, whole.steps)
    assert seen == [6, 6, 6, 3, *[2] * 6], "the steps before the checkpoint are not repeated"
    assert losses(tmp_path / "scarce") == pytest.approx(losses(tmp_path / "whole"), abs=1e-5)
    said = [line for line in heard.lines if "memory was not enough" in line]
    assert [line.split("with ")[1] for line in said] == ["3 rows at once.", "2 rows at once."]


def test_a_memory_that_is_never_enough_says_what_to_do(
    tiny_base: Path, train_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(self: Any, *more: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(AnswerTrainer, "training_step", never)
    with pytest.raises(TrainingError, match="memory is not enough") as caught:
        single = QUICK.model_copy(update={"batch_size": 1})
        finetune(train_file, None, str(tiny_base), single, tmp_path / "out", Silent())
    assert "--finetune-max-length" in caught.value.hint


@pytest.mark.parametrize(
    ("error", "full"),
    [
        (MemoryError(), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
    ],
)
def test_a_full_memory_is_told_from_a_bug(error: Exception, full: bool) -> None:
    assert out_of_memory(error) == full


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 2376256 vs 2376148"),
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ],
)
def test_a_full_disk_is_told_whichever_library_was_writing(error: Exception, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="disk is full"), mapped(tmp_path):
        raise error


def test_what_training_adds_grows_with_the_rows_and_shrinks_with_checkpointing(tiny_base: Path) -> None:
    opened = open_model(str(tiny_base))
    made = recipe(QUICK, opened)
    six, one = need(opened, made, 64), need(opened, made._replace(most_rows=1), 64)
    assert six.activations == 6 * one.activations
    adapted = sum(4 * (m.in_features + m.out_features) for m in _layers(opened.model))
    assert six.adapter == six.gradients == 4 * adapted
    assert six.optimizer == 8 * adapted
    full = need(opened, recipe(FinetuneConfig(method="full"), opened), 64)
    assert full.gradients == 4 * opened.model.num_parameters()
    assert full.adapter == 0


def _layers(model: Any) -> list[Any]:
    from torch.nn import Linear

    return [m for m in model.modules() if isinstance(m, Linear) and m is not model.get_output_embeddings()]


def test_fewer_rows_at_once_where_a_limit_is_given(tiny_base: Path, train_file: Path) -> None:
    roomy = estimate(str(tiny_base), QUICK, train_file)
    assert (roomy.rows_at_once, roomy.checkpointing) == (6, False)
    opened = open_model(str(tiny_base))
    examples = encode_rows(opened.tokenizer, load_rows(train_file).rows, 256).rows
    made = recipe(QUICK, opened)
    longest = max(len(row.input_ids) for row in examples)
    limit = need(opened, made._replace(most_rows=2), longest).total + 1
    tight = QUICK.model_copy(update={"max_memory": limit / 1e9})
    with pytest.MonkeyPatch.context() as patch:
        # The process's own memory is too coarse a measure for a model of this size.
        patch.setattr("finetune.peak.in_use", lambda device: 0)
        found = fit(str(tiny_base), opened, examples, made, tight)
    assert found.rows_at_once == 2
    assert found.applied(made).rows_at_once(longest) == 2


def test_a_step_that_takes_more_than_was_worked_out_is_tried_again_with_fewer_rows(
    tiny_base: Path, train_file: Path
) -> None:
    opened = open_model(str(tiny_base))
    examples = encode_rows(opened.tokenizer, load_rows(train_file).rows, 256).rows
    tight = QUICK.model_copy(update={"max_memory": 1.0})
    peaks = iter([2e9, 2e9, 1e8])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Peak, "__enter__", lambda self: self)
        patch.setattr(Peak, "__exit__", lambda self, *error: setattr(self, "most", int(next(peaks))))
        found = fit(str(tiny_base), opened, examples, recipe(QUICK, opened), tight)
    assert found.rows_at_once == 2


def test_what_cannot_fit_is_refused_before_it_is_tried(tiny_base: Path, train_file: Path) -> None:
    with pytest.raises(TrainingError, match=r"does not fit into 0\.0 GB, one row at a time") as caught:
        estimate(str(tiny_base), QUICK.model_copy(update={"max_memory": 1e-6}), train_file)
    assert "--method qlora" in caught.value.hint


def test_predicted_and_measured_memory_are_kept(tiny_base: Path, train_file: Path, tmp_path: Path) -> None:
    made = finetune(train_file, None, str(tiny_base), QUICK, tmp_path / "out", Silent(), measure=True)
    assert made.memory.predicted > 1e8
    assert made.memory.probed > 1e8
    assert made.memory.measured > 1e8


def test_the_peak_is_seen_between_two_looks() -> None:
    with Peak("cpu") as peak:
        block = bytearray(b"x") * 400_000_000
        import time

        time.sleep(0.2)
        del block
    assert peak.most - peak.start > 300_000_000
