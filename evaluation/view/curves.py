"""Lines over an axis: how many wrong answers a share of answers holds, and how soon answers come."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluation.amounts import duration
from evaluation.case import Case
from evaluation.selective import right
from evaluation.view.axis import axis

POINTS = 160
"""Most points of one line."""
_FEWEST = 10
"""Fewer answers with a chance make no curve; and a curve begins where a twentieth of them is answered."""


@dataclass(frozen=True)
class Line:
    """One system's line: SVG points in a square of 100 by 100, and what the legend says of it."""

    system: str
    tone: int
    points: str
    words: str


@dataclass(frozen=True)
class Lines:
    """Lines of several systems over one pair of axes; ticks are (place in per cent, text)."""

    title: str
    note: str
    x: str
    y: str
    lines: tuple[Line, ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]


def risk_coverage(cases: Mapping[str, Sequence[Case]], tone: Mapping[str, int]) -> Lines | None:
    """Return the share of wrong answers among the surest ones, for every share (El-Yaniv and Wiener 2010).

    None where no system says how sure it is.
    """
    curves = {system: curve for system, made in cases.items() if (curve := _risks(made))}
    if not curves:
        return None
    up = axis([0.0, *(risk for curve in curves.values() for _, risk in curve)], show="{:g} %".format)
    lines = tuple(
        Line(
            system=system,
            tone=tone.get(system, 0),
            points=" ".join(f"{share:.1f},{100 - up.place(risk):.1f}" for share, risk in _thinned(curve)),
            words=f"{curve[-1][1]:.0f} % wrong if all are answered, {_at(curve, 50):.0f} % of the surest half",
        )
        for system, curve in curves.items()
    )
    ticks = tuple((at, f"{at} %") for at in (0, 25, 50, 75, 100))
    note = "Answers by their chance, the surest first. The longer a line stays low, the better the chance tells."
    return Lines("Wrong answers among the surest", note, "answered", "wrong", lines, ticks, up.ticks)


def _risks(cases: Sequence[Case]) -> list[tuple[float, float]]:
    """Return (per cent answered, per cent of these wrong), of answers that have a chance and are known to be right."""
    known = [(case.answer.chance, right(case)) for case in cases if case.answer.chance is not None]
    ordered = sorted(((chance, is_right) for chance, is_right in known if is_right is not None), reverse=True)
    if len(ordered) < _FEWEST or ordered[0][0] == ordered[-1][0]:
        return []
    wrong, curve = 0, []
    for n, (chance, is_right) in enumerate(ordered, 1):
        wrong += not is_right
        # Answers of one chance are given together, or none of them.
        if (n == len(ordered) or ordered[n][0] != chance) and 20 * n >= len(ordered):
            curve.append((100 * n / len(ordered), 100 * wrong / n))
    return curve


def _at(curve: Sequence[tuple[float, float]], share: float) -> float:
    return next(risk for at, risk in curve if at >= share)


def latency(cases: Mapping[str, Sequence[Case]], tone: Mapping[str, int]) -> Lines | None:
    """Return the share of answers that came within a time, over a logarithmic axis; None where no times are known."""
    times = {
        system: seconds
        for system, made in cases.items()
        if (seconds := sorted(case.answer.usage.seconds for case in made if case.answer.usage.seconds > 0))
    }
    if not times:
        return None
    low = math.floor(math.log10(min(seconds[0] for seconds in times.values())))
    high = max(low + 1, math.ceil(math.log10(max(seconds[-1] for seconds in times.values()))))

    def place(seconds: float) -> float:
        return 100 * (math.log10(seconds) - low) / (high - low)

    lines = tuple(
        Line(
            system=system,
            tone=tone.get(system, 0),
            points=" ".join(f"{place(at):.1f},{100 - share:.1f}" for share, at in _steps(seconds)),
            words=f"half within {duration(_quantile(seconds, 0.5))}, 95 % within {duration(_quantile(seconds, 0.95))}",
        )
        for system, seconds in times.items()
    )
    x_ticks = tuple((100 * (at - low) / (high - low), duration(10.0**at)) for at in range(low, high + 1))
    y_ticks = tuple((at, f"{at} %") for at in (0, 25, 50, 75, 100))
    note = "How many of the answers came within a time. The further left a line stands, the faster."
    return Lines("Time of an answer", note, "time", "answered", lines, x_ticks, y_ticks)


def _steps(seconds: Sequence[float]) -> list[tuple[float, float]]:
    """Return the corners of (per cent of the answers, seconds within which they came), from none on."""
    reached = [(100 * n / len(seconds), at) for n, at in enumerate(seconds, 1)]
    corners, before = [(0.0, seconds[0])], 0.0
    for share, at in _thinned(reached):
        corners += [(before, at), (share, at)]
        before = share
    return corners


def _quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return at most POINTS of the points, evenly, the last one among them."""
    step = max(1, math.ceil(len(points) / POINTS))
    return [*points[:-1:step], points[-1]]
