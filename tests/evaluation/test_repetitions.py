"""Several seeds of one training: against the analysis of variance, and against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from evaluation.metric import Mean, PerCase, Rows, statistics
from evaluation.metrics.bleu import Bleu
from evaluation.repetitions import Repeated, estimates, few_seeds
from evaluation.seeds import over_seeds
from evaluation.significance import paired

Values = NDArray[np.float64]


class Plain(Mean, PerCase):
    """A mean of given values."""

    name = label = signature = "plain"


def table(values: Values) -> Rows:
    """Return the statistics, shape (n, seeds, 2), of values, shape (n, seeds)."""
    return np.stack([values, np.ones_like(values)], axis=2)


def simulated(random: np.random.Generator, n: int, seeds: int, by_seed: float, easy: Values) -> Values:
    return 50 + easy[:, None] + random.normal(0, by_seed, (1, seeds)) + random.normal(0, 10, (n, seeds))


def test_one_seed_is_the_plain_comparison() -> None:
    random = np.random.default_rng(0)
    own, base = table(random.uniform(0, 100, (30, 1))), table(random.uniform(0, 100, (30, 1)))
    (found,) = estimates([Repeated(Plain(), own, base)], resamples=200, seed=3)
    assert found == paired(Plain(), own[:, 0], base[:, 0], resamples=200, seed=3)


@pytest.mark.parametrize("by_seed", [0.0, 6.0])
def test_the_interval_of_a_mean_is_that_of_the_analysis_of_variance(by_seed: float) -> None:
    random = np.random.default_rng(1)
    values = simulated(random, 80, 4, by_seed, random.normal(0, 15, 80))
    (found,) = estimates([Repeated(Plain(), table(values))], resamples=4000, seed=0)
    known = over_seeds(values.T)
    assert found.value == pytest.approx(known.value)
    assert known.low is not None
    assert known.high is not None
    assert found.low == pytest.approx(known.low, abs=0.05 * (known.high - known.low))
    assert found.high == pytest.approx(known.high, abs=0.05 * (known.high - known.low))


@pytest.mark.parametrize("seeds", [2, 3, 6])
def test_intervals_hold_other_seeds_and_other_questions(seeds: int) -> None:
    random = np.random.default_rng(2)
    held = np.zeros(2)
    for seed in range(250):
        easy = random.normal(0, 15, 40)
        tuned = table(simulated(random, 40, seeds, 4.0, easy) + 7)
        base = table(simulated(random, 40, 1, 0.0, easy))
        both = estimates([Repeated(Plain(), tuned), Repeated(Plain(), tuned, base)], resamples=150, seed=seed)
        for at, true in enumerate((57.0, 7.0)):
            low, high = both[at].low, both[at].high
            assert low is not None
            assert high is not None
            held[at] += low <= true <= high
    assert (held / 250 >= 0.9).all()


def test_without_a_true_difference_few_comparisons_alarm() -> None:
    random = np.random.default_rng(3)
    alarms = 0
    for seed in range(250):
        easy = random.normal(0, 15, 40)
        sides = [table(simulated(random, 40, 3, 4.0, easy)) for _ in range(2)]
        (found,) = estimates([Repeated(Plain(), *sides)], resamples=150, seed=seed)
        assert found.p is not None
        alarms += found.p <= 0.05
    assert alarms / 250 <= 0.08


def test_a_corpus_metric_is_averaged_over_the_corpora_of_the_seeds() -> None:
    references = [f"the boat number {n} leaves the long pier at noon" for n in range(20)]
    made = [
        [r.replace(word, "x") if n % 3 else r for n, r in enumerate(references)] for word in ("boat", "leaves", "at")
    ]
    each = [
        np.stack([row for row in statistics(Bleu(), texts, [[r] for r in references]) if row is not None])
        for texts in made
    ]
    (found,) = estimates([Repeated(Bleu(), np.stack(each, axis=1))], resamples=200, seed=0)
    values = [float(Bleu().corpus(rows.sum(axis=0, keepdims=True))[0]) for rows in each]
    assert found.value == pytest.approx(np.mean(values))
    assert found.low is not None
    assert found.high is not None
    assert found.low < np.mean(values) < found.high


def test_equal_answers_of_all_seeds_do_not_differ() -> None:
    same = table(np.full((10, 3), 40.0))
    (found,) = estimates([Repeated(Plain(), same, same)], resamples=100, seed=0)
    assert (found.value, found.low, found.high, found.p) == (0, 0, 0, 1)


def test_no_interval_leaves_the_scale() -> None:
    values = np.array([[2.0, 9.0], [0.0, 0.0], [97.0, 1.0]])
    found = estimates([Repeated(Plain(), table(values))], resamples=100, seed=0)
    assert found[0].low == 0
    assert found[0].high is not None
    assert found[0].high <= 100


def test_it_is_said_how_little_few_seeds_tell() -> None:
    assert "an interval from 3 of them is 2.2 times as wide" in few_seeds("tuned", 3)
    assert few_seeds("tuned", 10) == ""
