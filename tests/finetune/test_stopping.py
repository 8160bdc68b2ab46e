"""A signal ends a training soon, wherever it is, and what goes on from there equals what was left alone."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from doceo.app.stages.adapter import Manner, train_on_file
from doceo.core.config import FinetuneConfig
from doceo.core.progress import Silent
from doceo.providers.hf_models import open_model
from finetune.checkpointing import DUE, checkpoints, planned_steps
from finetune.passes import passes
from finetune.samples import Samples
from finetune.saving import Mark
from finetune.stopping import Stop

from .conftest import FACTS, rows, write_rows

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX")
CONFIG = FinetuneConfig(
    rank=4, alpha=8, epochs=3, batch_size=2, save_steps=4, learning_rate=1e-2, patience=9, keep_passes=2
)
KEPT = ("adapter_model.safetensors", "samples.jsonl", "results.csv", "passes/step-9/adapter_config.json")


@pytest.fixture
def ending() -> Iterator[None]:
    """Let SIGTERM end what runs, as the command line does."""

    def end(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, end)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("rows")
    other = {f"{question} Say it.": answer for question, answer in FACTS.items()}
    return write_rows(folder / "train.jsonl", list(rows(FACTS))), write_rows(folder / "held.jsonl", list(rows(other)))


@pytest.fixture(scope="module")
def whole(tiny_base: Path, files: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "out"
    return train_on_file(files[0], out, str(tiny_base), CONFIG, Silent(), Manner(), validation=files[1])


MOMENTS = {
    "evaluating": (Stop, "on_prediction_step", 3, 3),
    "answering": (Samples, "_answers", 1, 3),
    "saving": (Mark, "on_save", 1, 4),
    "at the end": (Stop, "on_prediction_step", 7, 9),
}
"""What is interrupted, its how many-th call, and the step of the checkpoint that is then there."""


@pytest.mark.parametrize(
    "moment", [pytest.param(m, marks=[] if m == "evaluating" else [pytest.mark.slow]) for m in MOMENTS]
)
def test_a_signal_is_not_waited_on(
    moment: str, tiny_base: Path, files: tuple[Path, Path], whole: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, ending: None,
) -> None:  # fmt: skip
    kind, name, at, step = MOMENTS[moment]
    original, calls = getattr(kind, name), iter(range(1, 1000))

    def interrupted(*args: Any, **more: Any) -> Any:
        if next(calls) == at:
            os.kill(os.getpid(), signal.SIGTERM)
        return original(*args, **more)

    out = tmp_path / "out"
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(kind, name, interrupted)
        train_on_file(files[0], out, str(tiny_base), CONFIG, Silent(), Manner(), validation=files[1])
    work = tmp_path / ".out.work"
    last = checkpoints(work / "checkpoints")[-1]
    assert last.name == f"checkpoint-{step}"
    assert (last / DUE).exists() == (moment != "saving")
    assert planned_steps(work) == 9
    assert next(calls) == at + 1, "nothing more was done"
    train_on_file(files[0], out, str(tiny_base), CONFIG, Silent(), Manner(resume=True), validation=files[1])
    for kept in KEPT:
        assert (out / kept).read_bytes() == (whole / kept).read_bytes(), kept
    assert _log(out) == _log(whole)


def _log(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) | {"seconds": 0} for line in (folder / "training.jsonl").read_text().splitlines()]


def test_what_was_trained_after_the_last_passes_is_ready_for_use(tiny_base: Path, whole: Path) -> None:
    from peft import PeftModel

    found = passes(whole)
    assert [(one.step, one.folder.name) for one in found] == [(6, "step-6"), (9, "step-9")]
    lines = _log(whole)
    for one in found:
        trained, evaluated = [line for line in lines if line["step"] == one.step]
        assert (one.loss, one.accuracy) == (trained["loss"], trained["accuracy"])
        assert (one.eval_loss, one.eval_accuracy) == (evaluated["eval_loss"], evaluated["eval_accuracy"])
    last = (found[-1].folder / "adapter_model.safetensors").read_bytes()
    assert last == (whole / "adapter_model.safetensors").read_bytes()
    model = PeftModel.from_pretrained(open_model(str(tiny_base)).model, found[0].folder)
    assert model.peft_config["default"].r == 4
    assert (found[0].folder / "chat_template.jinja").read_bytes() == (whole / "chat_template.jinja").read_bytes()
    assert passes(tiny_base) == []
