"""A line refitted to keeps and drops: known values, an outside truth for its p value, and how often it cries wolf."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from generator import refit as refitting
from generator.refit import refit

APART = [0.5, 0.55, 0.6, 0.62, 0.66, *np.linspace(0.7, 1.0, 20)]


def test_the_line_lies_between_dropped_and_kept() -> None:
    low = refit(APART, [True] * 5 + [False] * 20, from_above=False)
    assert low is not None
    assert (low.at, low.found, low.lost) == (0.68, 5, 0)
    assert low.p < 0.001
    assert low.low <= low.at <= low.high
    high = refit([1 - score for score in APART], [True] * 5 + [False] * 20, from_above=True)
    assert high is not None
    assert (high.at, high.found, high.lost) == (0.32, 5, 0)


def test_the_greatest_difference_of_shares_wins() -> None:
    # below 0.6: 4 of 5 dropped and 1 of 10 kept, 0.7; below 0.8: 5 of 5 and 4 of 10, more than may be lost
    scores = [0.5] * 5 + [0.7] * 4 + [0.9] * 6
    dropped = [True] * 4 + [False] + [True] + [False] * 3 + [False] * 6
    found = refit(scores, dropped, from_above=False)
    assert found is not None
    assert (found.at, found.found, found.lost) == (0.6, 4, 1)


@pytest.mark.parametrize(
    ("scores", "dropped"),
    [
        ([1.0] * 30, [True, False, False] * 10),  # nothing to tell them by
        ([0.5] * 15 + [0.9] * 15, [False] * 15 + [True] * 15),  # the kept are the worse ones
        ([0.5] * 20 + [0.9] * 10, [True, False] * 10 + [False] * 10),  # half of the kept would be lost
    ],
)
def test_no_line_is_drawn_where_none_helps(scores: list[float], dropped: list[bool]) -> None:
    assert refit(scores, dropped, from_above=False) is None


def test_the_p_value_is_that_of_the_kolmogorov_smirnov_test(monkeypatch: pytest.MonkeyPatch) -> None:
    # The greatest difference of two shares over all lines is that test's statistic, once no line is ruled out.
    monkeypatch.setattr(refitting, "MOST_LOST", 1.0)
    monkeypatch.setattr(refitting, "RESAMPLES", 2)
    luck = np.random.default_rng(3)
    for shift in (0.1, 0.25, 0.4):
        kept, dropped = luck.random(24), luck.random(9) - shift
        found = refit([*dropped, *kept], [True] * 9 + [False] * 24, from_above=False)
        truth = ks_2samp(dropped, kept, alternative="greater", method="exact").pvalue
        assert found is not None
        assert found.p == pytest.approx(truth, abs=3 * (truth * (1 - truth) / 2000) ** 0.5 + 0.002)


@pytest.mark.parametrize("tied", [False, True])
def test_labels_that_have_nothing_to_do_with_the_score_move_no_line(
    monkeypatch: pytest.MonkeyPatch, tied: bool
) -> None:
    monkeypatch.setattr(refitting, "PERMUTATIONS", 199)
    monkeypatch.setattr(refitting, "RESAMPLES", 2)
    luck = np.random.default_rng(1)
    false = 0
    for _ in range(120):
        scores = luck.random(30)
        found = refit(np.round(scores, 1) if tied else scores, luck.permutation(30) < 8, from_above=False)
        false += found is not None and found.p <= 0.05
    assert false <= 6 + 3 * (120 * 0.05 * 0.95) ** 0.5


@settings(max_examples=20, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from([0.5, 0.51, 0.6, 0.75, 0.9, 1.0]), st.booleans()), min_size=6, max_size=30),
    st.booleans(),
)
def test_what_is_said_of_a_line_is_what_it_does(items: list[tuple[float, bool]], from_above: bool) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(refitting, "PERMUTATIONS", 20)
        patch.setattr(refitting, "RESAMPLES", 20)
        scores, dropped = [score for score, _ in items], [out for _, out in items]
        found = refit(scores, dropped, from_above=from_above)
        assert found == refit(scores, dropped, from_above=from_above)
    if found is None:
        return
    refused = [out for score, out in items if (score >= found.at if from_above else score < found.at)]
    assert (sum(refused), len(refused) - sum(refused)) == (found.found, found.lost)
    assert found.lost <= 0.2 * (len(items) - sum(dropped))
