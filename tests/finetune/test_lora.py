"""Real training runs of a few steps."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from doceo.core.config import FinetuneConfig
from doceo.core.errors import InputError, MissingExtra, ModelNotFound, ProviderError, TrainingError
from doceo.core.progress import Silent
from doceo.providers.hf_models import open_model
from finetune.base import open_base
from finetune.checkpointing import MARK, checkpoints
from finetune.lora import finetune
from finetune.memory import estimate
from finetune.recipe import recipe

from .conftest import FACTS, rows, write_rows

QUICK = FinetuneConfig(rank=4, alpha=8, epochs=4, batch_size=3, save_steps=3, learning_rate=1e-2)


def _log(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "training.jsonl").read_text().splitlines()]


def _losses(folder: Path) -> list[float]:
    return [line["loss"] for line in _log(folder) if line["loss"] is not None]


@pytest.fixture(scope="module")
def trained(tiny_base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("adapter")
    train = write_rows(work / "rows.jsonl", list(rows(FACTS)))
    finetune(train, train, str(tiny_base), QUICK, work / "out", Silent())
    return work / "out"


def test_the_adapter_is_an_ordinary_peft_folder(tiny_base: Path, trained: Path) -> None:
    from peft import PeftModel

    config = json.loads((trained / "adapter_config.json").read_text())
    assert config["r"] == 4
    targets = {name.split(".")[-1] for name in config["target_modules"]}
    assert targets == {"down_proj", "gate_proj", "k_proj", "o_proj", "q_proj", "up_proj", "v_proj"}
    model = PeftModel.from_pretrained(open_model(str(tiny_base)).model, trained)
    assert model.peft_config["default"].lora_alpha == 8
    assert (trained / "tokenizer.json").exists()
    assert "<svg" in (trained / "curve.svg").read_text()


def test_the_log_has_every_step_and_the_loss_falls(trained: Path) -> None:
    lines = _log(trained)
    figures = {"loss", "eval_loss", "accuracy", "eval_accuracy"}
    assert set(lines[0]) == {"step", "epoch", "learning_rate", "tokens", "seconds"} | figures
    steps = [line["step"] for line in lines if line["loss"] is not None]
    assert steps == list(range(1, 9))
    losses = _losses(trained)
    assert losses[-1] < losses[0]
    assert [line["epoch"] for line in lines if line["eval_loss"] is not None] == [1, 2, 3, 4]
    assert lines[-1]["tokens"] > lines[0]["tokens"] > 0


def test_the_same_seed_gives_the_same_adapter(tiny_base: Path, trained: Path, tmp_path: Path) -> None:
    train = write_rows(tmp_path / "rows.jsonl", list(rows(FACTS)))
    finetune(train, train, str(tiny_base), QUICK, tmp_path / "again", Silent())
    first, second = (load_file(folder / "adapter_model.safetensors") for folder in (trained, tmp_path / "again"))
    assert all(torch.equal(first[key], second[key]) for key in first)


def test_an_interrupted_run_continues_from_the_last_whole_checkpoint(
    tiny_base: Path, trained: Path, tmp_path: Path
) -> None:
    train = write_rows(tmp_path / "rows.jsonl", list(rows(FACTS)))

    class Interrupted(Silent):
        """Raises in the fifth step, as a full disk or a crash would."""

        def task(self, name: str, total: int | None = None, unit: str = "") -> Any:
            from contextlib import nullcontext

            class Fuse:
                left = 5

                def advance(self, n: int = 1, note: str = "") -> None:
                    self.left -= 1
                    if not self.left:
                        raise RuntimeError("the power went")

            return nullcontext(Fuse())

    work = tmp_path / "work"
    with pytest.raises(RuntimeError, match="power"):
        finetune(train, train, str(tiny_base), QUICK, work, Interrupted())
    place = work / "checkpoints"
    assert [path.name for path in checkpoints(place)] == ["checkpoint-3"]
    (place / "checkpoint-4").mkdir()  # one that was cut off
    result = finetune(train, train, str(tiny_base), QUICK, work, Silent())
    assert result.steps == 8
    assert _losses(work) == _losses(trained)
    first, second = (load_file(folder / "adapter_model.safetensors") for folder in (trained, work))
    assert all(torch.equal(first[key], second[key]) for key in first)
    assert [line["tokens"] for line in _log(work)] == [line["tokens"] for line in _log(trained)]


def test_unmarked_checkpoints_are_removed(tmp_path: Path) -> None:
    for step, marked in ((2, True), (10, True), (12, False)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if marked:
            (folder / MARK).touch()
    assert [path.name for path in checkpoints(tmp_path)] == ["checkpoint-2", "checkpoint-10"]
    assert not (tmp_path / "checkpoint-12").exists()


def test_patience_stops_and_keeps_the_best(tiny_base: Path, tmp_path: Path) -> None:
    train = write_rows(tmp_path / "rows.jsonl", list(rows(FACTS)))
    wrong = {question: "zebra quartz 9876 lynx jukebox" for question in FACTS}
    validation = write_rows(tmp_path / "validation.jsonl", list(rows(wrong)))
    config = QUICK.model_copy(update={"patience": 1, "epochs": 30.0, "learning_rate": 3e-2})
    result = finetune(train, validation, str(tiny_base), config, tmp_path / "out", Silent())
    losses = [line["eval_loss"] for line in _log(tmp_path / "out") if line["eval_loss"] is not None]
    assert result.steps < 60
    assert result.eval_loss == pytest.approx(min(losses), abs=1e-4)
    assert result.best_step == result.steps - 2


def test_both_ways_to_the_loss_agree(tiny_base: Path) -> None:
    from finetune.answer_trainer import AnswerTrainer
    from finetune.examples import encode
    from finetune.trainer import build_trainer

    opened = open_model(str(tiny_base))
    messages = [m for row in rows(FACTS) for m in [row["messages"]]]
    from doceo.core.records import Message

    encoded = [encode(opened.tokenizer, [Message.model_validate(m) for m in row]) for row in messages]  # type: ignore[attr-defined]  # rows() makes lists
    made = recipe(QUICK, opened)._replace(half=False)
    trainer = build_trainer(opened, encoded, [], made, QUICK, Path(), [], save_strategy="no")
    batch = next(iter(trainer.get_train_dataloader()))
    trainer.model.train()
    ours = trainer.compute_loss(trainer.model, dict(batch))
    right = trainer.means["train"].taken()["accuracy"]
    theirs = super(AnswerTrainer, trainer).compute_loss(trainer.model, dict(batch))
    assert right == pytest.approx(trainer._metrics["train"]["mean_token_accuracy"][-1])
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
    gradients = []
    for loss in (ours, theirs):
        trainer.model.zero_grad()
        loss.backward()
        gradients.append([p.grad.clone() for p in trainer.model.parameters() if p.grad is not None])
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-6)


def test_no_row_fits(tiny_base: Path, tmp_path: Path) -> None:
    train = write_rows(tmp_path / "rows.jsonl", list(rows({"long " * 200: "yes"})))
    with pytest.raises(TrainingError, match="longer than 64 tokens"):
        finetune(train, None, str(tiny_base), QUICK.model_copy(update={"max_length": 64}), tmp_path / "out", Silent())


def test_a_faulty_row_stops_before_the_base_is_opened(tmp_path: Path) -> None:
    train = write_rows(tmp_path / "rows.jsonl", [{"messages": []}])
    with pytest.raises(InputError, match="line 1, messages"):
        finetune(train, None, "/no/such/base", QUICK, tmp_path / "out", Silent())


def test_bases_that_cannot_be_used(tiny_base: Path, train_file: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match="no model folder"):
        finetune(train_file, None, "/no/such/base", QUICK, tmp_path / "out", Silent())
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(ModelNotFound, match=r"no config\.json"):
        finetune(train_file, None, str(empty), QUICK, tmp_path / "out", Silent())
    pickled = tmp_path / "pickled"
    pickled.mkdir()
    (pickled / "config.json").write_text((tiny_base / "config.json").read_text())
    (pickled / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(ProviderError, match="pickled weights only"):
        finetune(train_file, None, str(pickled), QUICK, tmp_path / "out", Silent())


def test_a_hub_name_that_cannot_be_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelNotFound, match="could be fetched from the hub"):
        open_model("nobody/no-such-model")


def test_a_base_stored_in_bfloat16_gets_a_float32_adapter(
    tiny_base: Path, train_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = open_model(str(tiny_base), dtype=torch.bfloat16)
    opened.model.save_pretrained(tmp_path / "half")
    opened.tokenizer.save_pretrained(tmp_path / "half")
    assert open_base(str(tmp_path / "half")).model.dtype == torch.float32  # small as it is
    monkeypatch.setattr("finetune.base.SMALL", 0)
    monkeypatch.setattr("finetune.base.bf16_in_hardware", lambda: True)
    assert open_base(str(tmp_path / "half")).model.dtype == torch.bfloat16
    finetune(train_file, None, str(tmp_path / "half"), QUICK, tmp_path / "out", Silent())
    weights = load_file(tmp_path / "out" / "adapter_model.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32}
    assert _losses(tmp_path / "out")[-1] < _losses(tmp_path / "out")[0]


def test_what_is_left_open_follows_from_the_size_of_the_base(tiny_base: Path) -> None:
    opened = open_model(str(tiny_base))
    small = recipe(FinetuneConfig(), opened)
    assert (small.rank, small.alpha, small.learning_rate, small.epochs, small.patience) == (64, 128, 2e-3, 6, None)
    large = recipe(FinetuneConfig(), opened._replace(model=_Sized(opened.model)))
    assert (large.rank, large.alpha, large.learning_rate, large.epochs, large.patience) == (16, 32, 2e-4, 3, 3)
    assert large.tokens_at_once == 1024
    assert large.rows_at_once(300) == 2
    chosen = recipe(FinetuneConfig(rank=8, learning_rate=1e-3, epochs=1, patience=2), opened)
    assert (chosen.rank, chosen.alpha, chosen.learning_rate, chosen.epochs, chosen.patience) == (8, 16, 1e-3, 1, 2)
    assert chosen.steps(20) == 3


class _Sized:
    """A model that says it is large."""

    def __init__(self, model: Any) -> None:
        self.device = model.device

    def num_parameters(self) -> int:
        return 600_000_000


def test_an_estimate_from_one_real_step(tiny_base: Path, train_file: Path) -> None:
    found = estimate(str(tiny_base), QUICK, train_file)
    assert found.steps == 8
    assert found.seconds > 0
    assert found.peak_bytes > 1e8
    assert found.trainable < found.parameters
    assert "on this machine" in str(found)


def test_a_tracker_that_is_not_installed_names_its_pip_line(tiny_base: Path, train_file: Path, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("finetune.tracking.find_spec", lambda name: None)
        with pytest.raises(MissingExtra) as caught:
            finetune(
                train_file, None, str(tiny_base), QUICK.model_copy(update={"tracker": "trackio"}), tmp_path, Silent()
            )
    assert caught.value.hint == 'pip install "doceo[trackers]"'


def test_a_tracker_that_is_named_gets_the_losses(tiny_base: Path, train_file: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    finetune(train_file, None, str(tiny_base), QUICK.model_copy(update={"tracker": "tensorboard"}), tmp_path, Silent())
    assert list((tmp_path / "tensorboard").glob("events*"))


@pytest.mark.slow
def test_weights_and_biases_stays_here_where_it_is_asked_to(
    tiny_base: Path, train_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("wandb")
    for name in ("WANDB_MODE", "WANDB_DIR", "WANDB_SILENT", "WANDB_PROJECT"):
        monkeypatch.delenv(name, raising=False)
    config = QUICK.model_copy(update={"tracker": "wandb-offline"})
    finetune(train_file, None, str(tiny_base), config, tmp_path / "out", Silent())
    assert list((tmp_path / "out" / "wandb").glob("offline-run-*/*.wandb"))


@pytest.mark.slow
def test_trackio_keeps_the_losses_here(tiny_base: Path, train_file: Path, tmp_path: Path) -> None:
    pytest.importorskip("trackio")
    code = (
        "import sys; from pathlib import Path; from doceo.core.config import FinetuneConfig; "
        "from doceo.core.progress import Silent; from finetune.lora import finetune; "
        "finetune(Path(sys.argv[1]), None, sys.argv[2], FinetuneConfig(epochs=1, tracker='trackio'), "
        "Path(sys.argv[3]), Silent())"
    )
    # It reads where to keep its files when it is imported.
    environment = {**os.environ, "TRACKIO_DIR": str(tmp_path / "trackio"), "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", code, str(train_file), str(tiny_base), str(tmp_path / "out")]
    subprocess.run(command, env=environment, check=True, timeout=120, capture_output=True)
    assert list((tmp_path / "trackio").rglob("doceo*.db"))
