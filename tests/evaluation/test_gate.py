"""A gate's false alarms and power by simulation, and how its checks are worked out and written down."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from numpy.typing import NDArray

from doceo.core.records import SetName
from evaluation.gate import Check, Measured, checks
from evaluation.gate_words import in_words, summary
from evaluation.junit import junit
from evaluation.metric import Better, Mean, PerCase, Rows

Values = NDArray[np.float64]


class Plain(Mean, PerCase):
    """A mean of given values."""

    signature = "plain"

    def __init__(self, name: str = "plain", better: Better = "higher", unit: str = "") -> None:
        self.name = self.label = name
        self.better, self.unit = better, unit


def column(values: Any) -> Rows:
    return np.stack([np.asarray(values, dtype=np.float64), np.ones(len(values))], axis=1)


def measured(
    now: Values, before: Values, metric: Plain | None = None, margin: float = 0.0, set_name: SetName = "taught"
) -> Measured:
    return Measured("sys", set_name, metric or Plain(), margin, column(now), column(before), np.ones(len(now), bool))


def answers(random: np.random.Generator, n: int) -> list[tuple[Values, Values]]:
    """Return two systems' scores under twelve metrics: some all or nothing, some that hardly ever differ."""
    easy = random.uniform(0, 100, n)
    found = []
    for at in range(12):
        one, other = (np.clip(easy + random.normal(0, 25, n), 0, 100) for _ in range(2))
        if at % 3 == 1:
            one, other = (100.0 * (side > 50) for side in (one, other))
        elif at % 3 == 2:
            other = np.where(random.random(n) < 0.08, 100 - one, one)
        found.append((one, other))
    return found


@pytest.mark.parametrize("n", [8, 60])
def test_a_gate_without_a_true_change_alarms_in_five_of_a_hundred_at_most(n: int) -> None:
    random = np.random.default_rng(0)
    alarms, runs = 0, 80
    for seed in range(runs):
        swap = random.random(n) < 0.5
        sides = [(np.where(swap, b, a), np.where(swap, a, b)) for a, b in answers(random, n)]
        found = checks(
            [measured(now, before, Plain(str(at))) for at, (now, before) in enumerate(sides)], resamples=300, seed=seed
        )
        alarms += any(check.outcome == "worse" for check in found)
    # at a true rate of 5 %, more than 9 of 80 come about once in a hundred times
    assert alarms <= 9


def test_a_loss_of_the_size_it_states_is_found_four_times_in_five() -> None:
    random = np.random.default_rng(1)
    n, stated, seen = 60, [], 0
    for _ in range(2):
        loss = float(np.mean(stated)) if stated else 0.0
        seen, stated = 0, []
        for seed in range(80):
            sides = answers(random, n)[::3]
            first, *others = [
                measured(now - (loss if at == 0 else 0), before, Plain(str(at)))
                for at, (now, before) in enumerate(sides)
            ]
            found = checks([first, *others], resamples=300, seed=seed)
            seen += found[0].outcome == "worse"
            assert found[0].detectable is not None
            stated.append(found[0].detectable)
    assert seen / 80 >= 0.7  # 80 of a hundred, as far as eighty runs can tell


def test_a_clear_loss_fails_and_a_loss_within_the_margin_does_not() -> None:
    random = np.random.default_rng(2)
    before = random.uniform(40, 100, 80)
    now = before - 10 + random.normal(0, 5, 80)
    strict, lenient, far = (
        checks([measured(now, before, margin=margin)], resamples=400, seed=0)[0] for margin in (0.0, 20.0, 9.5)
    )
    assert (strict.outcome, lenient.outcome, far.outcome) == ("worse", "held", "held")
    assert strict.change == pytest.approx(float((now - before).mean()), abs=1e-5)
    assert strict.low is not None
    assert strict.high is not None
    assert strict.low < -10 < strict.high < 0
    assert strict.detectable is not None
    assert lenient.detectable == pytest.approx(strict.detectable + 20)


def test_where_lower_is_better_a_rise_is_the_loss() -> None:
    random = np.random.default_rng(3)
    before = random.lognormal(0, 0.3, 60)
    slower, faster = before * 1.5, before / 1.5
    metric = Plain("seconds", "lower", "s")
    found = checks([measured(slower, before, metric), measured(faster, before, metric)], resamples=400, seed=0)
    assert [check.outcome for check in found] == ["worse", "held"]


def test_intervals_grow_with_the_number_of_checks_but_not_for_copies_of_one() -> None:
    random = np.random.default_rng(4)
    pairs = [(random.normal(50, 10, 100), random.normal(50, 10, 100)) for _ in range(20)]

    def width(sides: list[tuple[Values, Values]]) -> float:
        found = checks([measured(*side, Plain(str(at))) for at, side in enumerate(sides)], resamples=500, seed=0)[0]
        assert found.low is not None
        assert found.high is not None
        return found.high - found.low

    alone = width(pairs[:1])
    assert width([pairs[0]] * 20) == pytest.approx(alone, rel=0.03)
    assert 1.4 < width(pairs) / alone < 1.65  # 3.02 standard deviations instead of 1.98


def test_few_changed_answers_are_not_told_from_chance() -> None:
    before = np.full(100, 100.0)
    now = before.copy()
    now[:4] = 0
    found = checks([measured(now, before)], resamples=1000, seed=0)[0]
    assert found.high is not None
    assert found.high < 0
    assert (found.outcome, found.note) == ("held", "too few answers differ to tell it from chance")


def test_no_loss_is_promised_that_there_cannot_be() -> None:
    random = np.random.default_rng(5)
    before, now = random.uniform(0, 4, 12), random.uniform(0, 4, 12)
    high, low = (checks([measured(now + at, before + at)], resamples=300, seed=0)[0] for at in (50, -1))
    assert high.detectable is not None
    assert high.detectable > 1.2
    assert low.detectable is None, "of one point no more can be lost"


def test_five_questions_say_how_little_they_see() -> None:
    random = np.random.default_rng(7)
    pairs = [random.uniform(0, 100, (2, 5)) for _ in range(6)]
    alone = checks([measured(*(pairs[0] + 100))], resamples=300, seed=0)
    assert alone[0].detectable is not None
    assert alone[0].detectable > 90
    found = checks([measured(*pair, Plain(str(at))) for at, pair in enumerate(pairs)], resamples=300, seed=0)
    assert [check.detectable for check in found] == [None] * 6
    assert "With 5 questions hardly any loss would be seen" in in_words(found[0])
    assert "6 of 6 checks could hardly see any loss" in summary(found)[0]


def test_only_questions_that_both_could_be_measured_on_count() -> None:
    now, before = column([50.0, 60, 70, 0]), column([40.0, 60, 80, 0])
    known = np.array([True, True, True, False])
    now[3], before[3] = 0, 0
    found = checks([Measured("sys", "unseen", Plain(), 0.0, now, before, known)], resamples=300, seed=0)[0]
    assert (found.n, found.now, found.before, found.note) == (3, 60, 60, "measured on 3 of 4 questions")


def test_what_cannot_be_measured_fails_nothing() -> None:
    none = Measured("sys", "taught", Plain(), 0.0, np.zeros((4, 2)), np.zeros((4, 2)), np.zeros(4, bool))
    one = Measured("sys", "taught", Plain(), 0.0, column([1.0]), column([99.0]), np.ones(1, bool))
    found = checks([none, one], resamples=300, seed=0)
    assert [(check.outcome, check.note) for check in found] == [
        ("undefined", "no question could be measured in both runs"),
        ("undefined", "one question: no interval"),
    ]


def test_sets_are_drawn_independently_and_the_seed_decides() -> None:
    random = np.random.default_rng(5)
    now, before = random.uniform(0, 100, (2, 30))
    both = [measured(now, before), measured(now, before, set_name="unseen")]
    first, second = checks(both, resamples=300, seed=0)
    assert first.low != second.low
    assert checks(both, resamples=300, seed=0) == [first, second]
    assert checks(both, resamples=300, seed=1) != [first, second]


def test_a_metric_without_a_better_side_is_refused() -> None:
    with pytest.raises(ValueError, match="neither"):
        checks([measured(np.zeros(3), np.ones(3), Plain(better=""))], resamples=300, seed=0)


def _checks() -> list[Check]:
    random = np.random.default_rng(6)
    before = random.uniform(50, 100, 40)
    odd = Measured('a<b>&"\x01', "taught", Plain(), 0.0, column(before - 20), column(before), np.ones(40, bool))
    none = Measured("sys", "taught", Plain("auroc"), 0.0, np.zeros((4, 2)), np.zeros((4, 2)), np.zeros(4, bool))
    return checks([odd, measured(before, before), none], resamples=300, seed=0)


def test_junit_has_a_case_for_each_check() -> None:
    text = junit("gate now\x00 --baseline before", _checks())
    root = ElementTree.fromstring(text.encode("utf-8"))
    suite = root.find("testsuite")
    assert root.tag == "testsuites"
    assert suite is not None
    counts = {key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": "3", "failures": "1", "errors": "0", "skipped": "1"}
    cases = suite.findall("testcase")
    assert [case.get("classname") for case in cases] == ['taught.a<b>&"\ufffd', "taught.sys", "taught.sys"]
    failure = cases[0].find("failure")
    assert failure is not None
    assert "allowed is 0.0" in str(failure.text)
    assert [child.tag for case in cases for child in case] == ["failure", "system-out", "skipped"]
