"""What is left open is decided by the base and the rows, turned by one dial, and said with its reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from doceo.core.config import FinetuneConfig
from doceo.providers.hf_models import Opened, open_model
from finetune.reasons import explained
from finetune.recipe import Recipe, recipe


class Sized:
    """A model that says how large it is."""

    def __init__(self, model: Any, parameters: int) -> None:
        self.device, self.dtype, self.parameters = model.device, model.dtype, parameters

    def num_parameters(self) -> int:
        return self.parameters


@pytest.fixture(scope="module")
def small(tiny_base: Path) -> Opened:
    return open_model(str(tiny_base))


@pytest.fixture(scope="module")
def large(small: Opened) -> Opened:
    return small._replace(model=Sized(small.model, 600_000_000))


@pytest.mark.parametrize(("rows", "rank", "epochs"), [(800, 16, 3), (5_000, 64, 2), (49_999, 64, 2), (50_000, 256, 1)])
def test_rank_and_passes_follow_the_rows(large: Opened, rows: int, rank: int, epochs: float) -> None:
    made = recipe(FinetuneConfig(), large, rows)
    assert (made.rank, made.alpha, made.epochs, made.learning_rate) == (rank, 32, epochs, 2e-4)


def test_one_dial(small: Opened, large: Opened) -> None:
    turned = {
        quality: recipe(FinetuneConfig.model_validate({"quality": quality}), large, 800)
        for quality in ("fast", "balanced", "best")
    }
    assert [made.rank for made in turned.values()] == [8, 16, 32]
    assert [made.epochs for made in turned.values()] == [1.5, 3.0, 4.5]
    best = recipe(FinetuneConfig(quality="best", rank=8, epochs=1), small, 800)
    assert (best.rank, best.epochs) == (8, 1)


def test_full_takes_a_tenth_of_the_rate_and_has_no_rank(small: Opened, large: Opened) -> None:
    made = recipe(FinetuneConfig(method="full"), large)
    assert (made.rank, made.alpha, made.learning_rate) == (0, 0, pytest.approx(2e-5))
    assert recipe(FinetuneConfig(method="full"), small).learning_rate == pytest.approx(2e-4)


def test_packing_is_for_a_gpu(large: Opened) -> None:
    assert not recipe(FinetuneConfig(), large).packing
    assert recipe(FinetuneConfig(packing="on"), large).packing


def test_fewer_rows_at_once_and_then_checkpointing(large: Opened) -> None:
    made: Recipe | None = recipe(FinetuneConfig(batch_size=12), large)._replace(tokens_at_once=4096)
    seen = []
    while made is not None:
        seen.append((made.rows_at_once(100), made.checkpointing))
        assert made.a_step == 12
        made = made.smaller(100)
    assert seen == [(12, False), (6, False), (3, False), (2, False), (1, False), (1, True)]


def test_every_choice_has_its_reason(small: Opened, large: Opened) -> None:
    config = FinetuneConfig(rank=24)
    lines = explained(recipe(config, large, 800), config, large, rows=800, held=40, longest=200)
    assert len(lines) == 7
    assert "rank 24 (as given), alpha 32, no dropout" in lines[0]
    assert "0.0002 (ten times that of full fine-tuning" in lines[2]
    assert "3 (800 rows; 2 from 5,000, 1 from 50,000)" in lines[3]
    assert "40 held-out rows" in lines[6]
    text = " ".join(explained(recipe(FinetuneConfig(), small, 9), FinetuneConfig(), small, 9, 0, 64))
    assert "rank 64 (a small base needs much room)" in text
    assert "no rows are held out" in text


def test_a_training_of_few_steps_has_none_to_spare_for_warming_up(small: Opened) -> None:
    made = recipe(FinetuneConfig(epochs=1, batch_size=8), small, 8)
    assert (made.steps(8), made.warmup(8)) == (1, 0.0)
    assert (made.steps(80), made.warmup(80)) == (10, 0.03)
