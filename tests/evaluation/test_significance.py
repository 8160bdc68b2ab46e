from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from evaluation.metric import Mean, OfTexts, Rows, statistics
from evaluation.metrics import load
from evaluation.significance import interval, paired

WORDS = np.array(["a", "b", "c", "d", "e", "f", "g", "h"])


class Plain(Mean, OfTexts):
    """A mean of given values."""

    name = label = signature = "plain"


def column(values: list[float] | NDArray[np.float64]) -> Rows:
    return np.stack([np.asarray(values, dtype=np.float64), np.ones(len(values))], axis=1)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 100), min_size=2, max_size=30), st.integers(0, 9))
def test_an_interval_holds_its_value(values: list[float], seed: int) -> None:
    found = interval(Plain(), column(values), resamples=200, seed=seed)
    assert found.low is not None
    assert found.high is not None
    assert found.low - 1e-9 <= found.value <= found.high + 1e-9
    assert min(values) - 1e-9 <= found.low <= found.high <= max(values) + 1e-9


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(0, 100), min_size=2, max_size=30))
def test_a_system_does_not_differ_from_itself(values: list[float]) -> None:
    found = paired(Plain(), column(values), column(values), resamples=100, seed=0)
    assert (found.value, found.low, found.high, found.p) == (0, 0, 0, 1)


def test_the_interval_of_a_mean_is_that_of_theory() -> None:
    values = np.random.default_rng(1).normal(50, 10, 400)
    found = interval(Plain(), column(values), resamples=4000, seed=0)
    half = 1.96 * values.std() / 20
    assert found.low == pytest.approx(values.mean() - half, abs=0.1)
    assert found.high == pytest.approx(values.mean() + half, abs=0.1)


def test_the_same_seed_gives_the_same_numbers_and_another_seed_others() -> None:
    values = column(np.random.default_rng(1).normal(50, 10, 40))
    assert interval(Plain(), values, resamples=300, seed=4) == interval(Plain(), values, resamples=300, seed=4)
    assert interval(Plain(), values, resamples=300, seed=4) != interval(Plain(), values, resamples=300, seed=5)


def test_pairing_sees_a_small_steady_gain_in_noisy_answers() -> None:
    random = np.random.default_rng(2)
    base = random.normal(50, 20, 80)
    better = column(base + random.normal(2, 2, 80))
    found = paired(Plain(), better, column(base), resamples=1000, seed=0)
    assert found.low is not None
    assert found.low > 0
    assert found.p is not None
    assert found.p < 0.01
    alone = interval(Plain(), better, resamples=1000, seed=0)
    assert alone.low is not None
    assert alone.low < base.mean()


def test_false_alarms_are_as_rare_as_promised() -> None:
    random = np.random.default_rng(3)
    alarms = 0
    for seed in range(200):
        one, other = column(random.normal(50, 10, 40)), column(random.normal(50, 10, 40))
        found = paired(Plain(), one, other, resamples=200, seed=seed)
        alarms += found.p is not None and found.p <= 0.05
    assert alarms <= 20


@pytest.mark.parametrize("name", ["bleu", "chrf"])
def test_corpus_metrics_are_resampled_as_corpora(name: str) -> None:
    random = np.random.default_rng(0)
    references = [" ".join(random.choice(WORDS, 8)) for _ in range(30)]
    hypotheses = [" ".join(w if random.random() < 0.7 else "x" for w in r.split()) for r in references]
    metric = load(name)
    rows = np.stack([r for r in statistics(metric, hypotheses, [[r] for r in references]) if r is not None])
    found = interval(metric, rows, resamples=300, seed=0)
    assert found.low is not None
    assert found.high is not None
    assert found.low < found.value < found.high
    same = paired(metric, rows, rows, resamples=100, seed=0)
    assert (same.value, same.p) == (0, 1)


def test_one_answer_has_no_interval() -> None:
    found = interval(Plain(), column([7.0]), resamples=100, seed=0)
    assert (found.value, found.low, found.high) == (7, None, None)


def test_many_answers_are_drawn_in_blocks() -> None:
    values = column(np.random.default_rng(1).normal(50, 10, 50_000))
    found = interval(Plain(), values, resamples=120, seed=0)
    assert found.low is not None
    assert found.high is not None
    assert 49.7 < found.low < found.value < found.high < 50.3
