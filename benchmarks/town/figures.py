"""What the towns together show: recall per round with its interval, and one arm against the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np
from scipy.stats import t as student

from benchmarks.town.arms import ARMS, Arm, Result, Round
from doceo.core.records import Record
from evaluation.seeds import flipped

Group = Literal["everything", "planted", "others"]
GROUPS: tuple[Group, ...] = ("everything", "planted", "others")
SURE = 0.95


class Level(Record):
    """A mean over towns in percent, with its 95 % interval over towns (Student's t); no interval for one town."""

    value: float
    low: float | None
    high: float | None


class Contrast(Record):
    """The gap-driven arm less the even one, in percentage points, over towns.

    `p` is one-sided, from every way to flip the signs of the towns' differences (Fisher's permutation test of pairs).
    """

    by_town: tuple[float, ...]
    mean: Level
    p: float


class Figures(Record):
    """Everything that is reported. `recall` is by group of facts, arm and round; `found` counts towns.

    `last` compares recall after the last round, `area` the mean of all rounds (the area under the curve).
    """

    towns: int
    recall: dict[Group, dict[Arm, tuple[Level, ...]]]
    pairs_planted: dict[Arm, tuple[float, ...]]
    taught: dict[Arm, Level]
    untaught: dict[Arm, Level]
    base_known: Level
    base_planted: Level
    found_by_round_1: int
    found_by_round_2: int
    last: dict[Group, Contrast]
    area: dict[Group, Contrast]
    leaks: int


def figures(results: Sequence[Result]) -> Figures:
    """Return what results with equal rounds come to."""
    rounds = range(len(results[0].rounds["gap"]))
    last = rounds[-1]
    return Figures(
        towns=len(results),
        recall={
            group: {arm: tuple(_level(results, arm, n, _value(group)) for n in rounds) for arm in ARMS}
            for group in GROUPS
        },
        pairs_planted={
            arm: tuple(float(np.mean([r.rounds[arm][n].pairs_planted for r in results])) for n in rounds)
            for arm in ARMS
        },
        taught={arm: _level(results, arm, last, lambda one: one.taught.value) for arm in ARMS},
        untaught={arm: _level(results, arm, last, lambda one: one.untaught.value) for arm in ARMS},
        base_known=_level(results, "gap", 0, _value("others")),
        base_planted=_level(results, "gap", 0, _value("planted")),
        found_by_round_1=_found(results, 1),
        found_by_round_2=_found(results, 2),
        last={group: contrast(_apart(results, _value(group), [last])) for group in GROUPS},
        area={group: contrast(_apart(results, _value(group), rounds[1:])) for group in GROUPS},
        leaks=sum(one.leaks for result in results for arm in ARMS for one in result.rounds[arm]),
    )


def contrast(by_town: Sequence[float]) -> Contrast:
    """Return what differences of towns come to, one value (a share) for each town."""
    values = np.asarray(by_town, dtype=np.float64)
    return Contrast(
        by_town=tuple(round(100 * float(value), 2) for value in values), mean=level(by_town), p=flipped(values)
    )


def level(shares: Sequence[float]) -> Level:
    """Return the mean of shares in percent, with the interval of Student's t over towns."""
    values = 100 * np.asarray(shares, dtype=np.float64)
    middle = float(values.mean())
    if len(values) < 2:
        return Level(value=round(middle, 2), low=None, high=None)
    reach = float(student.ppf((1 + SURE) / 2, len(values) - 1) * values.std(ddof=1) / len(values) ** 0.5)
    return Level(value=round(middle, 2), low=round(middle - reach, 2), high=round(middle + reach, 2))


def _value(group: Group) -> Callable[[Round], float]:
    return lambda one: float(getattr(one, group).value)


def _level(results: Sequence[Result], arm: Arm, number: int, of: Callable[[Round], float]) -> Level:
    found = level([of(result.rounds[arm][number]) for result in results])
    if found.low is None or found.high is None:
        return found
    return found.model_copy(update={"low": max(0.0, found.low), "high": min(100.0, found.high)})


def _apart(results: Sequence[Result], of: Callable[[Round], float], rounds: Sequence[int]) -> list[float]:
    return [
        float(np.mean([of(result.rounds["gap"][n]) - of(result.rounds["even"][n]) for n in rounds]))
        for result in results
    ]


def _found(results: Sequence[Result], by: int) -> int:
    return sum(number is not None and number <= by for number in (result.found() for result in results))
