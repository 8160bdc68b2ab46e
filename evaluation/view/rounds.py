"""Scores of a loop round by round, and how much better one way to spend the budget is than the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from doceo.core.loop import Arm, Difference, LoopRecord, Mean
from evaluation.amounts import signed
from evaluation.view.axis import Axis, axis
from evaluation.view.forest import Difference as Row
from evaluation.view.forest import Forest

ARMS: dict[Arm, tuple[str, int]] = {"gap": ("where it is weak", 4), "even": ("evenly", 0)}
"""How an arm's budget is spent, in words, and its colour."""


@dataclass(frozen=True)
class Mark:
    """A score after a round; places are in per cent from left and top."""

    x: float
    y: float
    low: float
    high: float
    words: str


@dataclass(frozen=True)
class Climb:
    """One arm on one set: its marks, and the line through them as SVG points."""

    name: str
    tone: int
    points: str
    marks: tuple[Mark, ...]
    words: str


@dataclass(frozen=True)
class Chart:
    """The score on one set, round by round; ticks are (place in per cent, text)."""

    set: str
    n: int
    climbs: tuple[Climb, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]


def charts(record: LoopRecord) -> list[Chart]:
    """Return a chart for every set of the exam."""
    sets = dict.fromkeys(mean.set for standing in record.standings for mean in standing.means)
    return [_chart(record, name) for name in sets]


def _chart(record: LoopRecord, name: str) -> Chart:
    means: dict[Arm, dict[int, Mean]] = {}
    for standing in record.standings:
        for mean in standing.means:
            if mean.set == name:
                means.setdefault(standing.arm, {})[standing.round] = mean
    every = [mean for by_round in means.values() for mean in by_round.values()]
    ends = [end for mean in every for end in (mean.value, mean.low, mean.high) if end is not None]
    up = axis([0.0, *(min(100.0, max(0.0, end)) for end in ends)])
    last = max((number for by_round in means.values() for number in by_round), default=0)
    across = axis([0, last or 1], most=max(1, last))
    climbs = tuple(_climb(arm, by_round, across, up, len(means)) for arm, by_round in means.items())
    ticks = tuple((across.place(number), str(number)) for number in range(last + 1))
    return Chart(name, max(mean.n for mean in every), climbs, ticks, up.ticks)


def _climb(arm: Arm, means: Mapping[int, Mean], across: Axis, up: Axis, arms: int) -> Climb:
    name, tone = ARMS[arm]
    # Two arms stand beside each other, so that their intervals do not cover each other.
    shift = 0.0 if arms == 1 else -0.6 if arm == "gap" else 0.6

    def mark(number: int, mean: Mean) -> Mark:
        low, high = (mean.value if end is None else end for end in (mean.low, mean.high))
        words = f"round {number}: {mean.value:.1f}" + ("" if mean.low is None else f" [{low:.1f}, {high:.1f}]")
        x = min(100.0, max(0.0, across.place(number) + shift))
        return Mark(round(x, 2), 100 - up.place(mean.value), 100 - up.place(low), 100 - up.place(high), words)

    marks = tuple(mark(number, means[number]) for number in sorted(means))
    points = " ".join(f"{one.x},{one.y:.2f}" for one in marks)
    first, last = means[min(means)], means[max(means)]
    interval = "" if last.low is None or last.high is None else f" [{last.low:.1f}, {last.high:.1f}]"
    return Climb(name, tone, points, marks, f"{first.value:.1f} before, {last.value:.1f}{interval} at the end")


def advantages(record: LoopRecord) -> list[Forest]:
    """Return, for every set, how much better spending by weakness is than spending evenly, round by round."""
    sets: dict[str, list[tuple[int, Difference]]] = {}
    for compared in record.compared:
        for one in compared.differences:
            sets.setdefault(one.set, []).append((compared.round, one))
    return [_forest(name, rows) for name, rows in sets.items()]


def _forest(name: str, rows: Sequence[tuple[int, Difference]]) -> Forest:
    ends = [end for _, one in rows for end in (one.value, one.low, one.high) if end is not None]
    scale = axis([*ends, 0.0], show=lambda value: signed(value).removesuffix(".0") if value else "0")

    def row(number: int, one: Difference) -> Row:
        low, high = (one.value if end is None else end for end in (one.low, one.high))
        known = one.low is not None
        return Row(
            system=f"round {number}",
            tone=4,
            value=signed(one.value),
            interval=f"{signed(low)} to {signed(high)}" if known else "",
            at=scale.place(one.value),
            low=scale.place(low),
            high=scale.place(high),
            direction=one.direction,
            p="" if one.p is None else f"{one.p:.3f}",
            effect="",
            detectable="",
            n=one.n,
        )

    return Forest(name, "right", scale.place(0), tuple(row(number, one) for number, one in rows), scale.ticks)
