"""Weakness of areas: known values, small areas that do not shout, and intervals that hold what they promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.gaps import gaps, shrunken
from evaluation.seeds import flipped, over_seeds

LOSSES = st.lists(st.floats(0, 1), max_size=12)


def test_a_small_area_is_drawn_to_the_mean_and_a_large_one_stays() -> None:
    losses = {
        "one answer, wrong": [1.0],
        "many answers, wrong": [1.0] * 40,
        **{f"area {i}": [0.0] * 8 + [1.0] * 12 for i in range(6)},
    }
    found = shrunken(losses)
    assert found["many answers, wrong"].value > 0.9
    assert 0.6 < found["one answer, wrong"].value < 0.75
    assert found["one answer, wrong"].high - found["one answer, wrong"].low > 0.5
    ranked = gaps(
        {f"{key} {n}": 100 * (1 - loss) for key, of in losses.items() for n, loss in enumerate(of)},
        {f"{key} {n}": key for key, of in losses.items() for n, _ in enumerate(of)},
        "topic",
    )
    assert ranked[0].key == "many answers, wrong"
    assert ranked[0].observed == 1.0


def test_areas_without_a_question_are_listed_with_the_mean_of_all() -> None:
    values = {str(n): 100.0 * (n % 2) for n in range(40)}
    found = gaps(values, dict.fromkeys(values, "asked"), "topic", pairs={"asked": 3, "never asked": 0})
    by_key = {gap.key: gap for gap in found}
    assert by_key["never asked"].n == 0
    assert by_key["never asked"].observed is None
    assert by_key["never asked"].weakness == pytest.approx(0.5)
    assert by_key["never asked"].high - by_key["never asked"].low > by_key["asked"].high - by_key["asked"].low
    assert by_key["asked"].pairs == 3
    assert shrunken({"nothing": []})["nothing"].value == 0.5


@given(st.dictionaries(st.text(min_size=1, max_size=3), LOSSES, min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_weakness_lies_between_its_bounds(losses: dict[str, list[float]]) -> None:
    for key, one in shrunken(losses).items():
        assert 0 <= one.low <= one.high <= 1
        assert -1e-9 <= one.value <= 1 + 1e-9
        assert one.n == len(losses[key])


def test_intervals_hold_the_truth_and_shrinking_is_nearer_to_it() -> None:
    random = np.random.default_rng(0)
    held, wrong, plain = [], [], []
    for _ in range(120):
        truth = np.clip(random.normal(0.6, 0.15, 12), 0, 1)
        asked = random.integers(1, 10, 12)
        found = shrunken({str(i): random.binomial(1, truth[i], asked[i]).astype(float) for i in range(12)})
        for i, value in enumerate(truth):
            one = found[str(i)]
            assert one.observed is not None
            held.append(one.low <= value <= one.high)
            wrong.append((one.value - value) ** 2)
            plain.append((one.observed - value) ** 2)
    assert np.mean(held) > 0.92
    assert np.mean(wrong) < 0.5 * np.mean(plain)


@pytest.mark.parametrize(("seeds", "between"), [(1, 0.0), (3, 0.0), (3, 0.2), (10, 0.1)])
def test_an_interval_over_seeds_covers_no_difference_as_often_as_it_says(seeds: int, between: float) -> None:
    random, held = np.random.default_rng(1), []
    for _ in range(500):
        own = random.normal(0, between, (seeds, 1))
        table = own + random.normal(0, 0.1, (1, 60)) + random.normal(0, 0.3, (seeds, 60))
        found = over_seeds(table)
        assert found.low is not None
        assert found.high is not None
        held.append(found.low <= 0 <= found.high)
        assert found.p_t is not None
        assert (found.p_t < 0.05) is not held[-1]
    assert np.mean(held) > 0.92


def test_known_values_over_seeds() -> None:
    alike = over_seeds(np.array([[1.0, 0.0, 1.0, 0.0]] * 3))
    assert (alike.value, alike.between, alike.n, alike.seeds) == (0.5, 0.0, 4, 3)
    assert over_seeds(np.array([[3.0]])).low is None
    single = over_seeds(np.array([[1.0, 2.0, 3.0, 4.0]]))
    # Student's interval: 2.5 -+ t(3) * sd / 2, by R's t.test(c(1, 2, 3, 4)).
    assert (single.low, single.high) == (pytest.approx(0.4457397), pytest.approx(4.5542603))
    assert single.p_t == pytest.approx(0.0304662, abs=1e-6)
    assert over_seeds(np.array([[1.0, 1.0]])).p_t == 0
    # Three seeds, all better: one of the eight ways to set their signs.
    assert flipped(np.array([1.0, 2.0, 3.0])) == 1 / 8
    assert flipped(np.array([0.0, 0.0])) == 1.0
    assert flipped(np.ones(20)) < 0.001
