"""Positions on the page's charts, in per cent; the templates draw them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from doceo.core.records import Score
from evaluation.table import Direction, Table, number
from evaluation.view.axis import Axis, axis, ends

CHARTS = 3
"""Dot charts of one table, at most."""


@dataclass(frozen=True)
class Bar:
    """A labelled bar; `share` is its length in per cent."""

    label: str
    value: str
    share: float
    tone: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Dot:
    """One system's value on an axis, with its interval, in per cent of the axis.

    `rests` says on how many questions it rests, where these are not as many as for others; the interval says it too.
    """

    system: str
    tone: int
    text: str
    interval: str
    at: float
    low: float
    high: float
    direction: Direction
    rests: str = ""


@dataclass(frozen=True)
class DotChart:
    """One metric of one set."""

    title: str
    dots: tuple[Dot, ...]
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Curve:
    """Loss over steps: points as SVG coordinates in a square of 100 by 100."""

    train: str
    validation: str
    validation_points: tuple[tuple[float, float], ...]
    x_ticks: tuple[tuple[float, str], ...]
    y_ticks: tuple[tuple[float, str], ...]
    facts: tuple[tuple[str, str], ...]


def bars(counts: Mapping[str, int], *, limit: int = 12) -> list[Bar]:
    """Return bars of counts, longest first; what is beyond the limit is one line without a bar."""
    others: list[Bar] = []
    ordered = sorted(counts.items(), key=lambda kv: (-kv[1], kv[0]))
    if len(ordered) > limit:
        rest = ordered[limit - 1 :]
        others = [Bar(f"{len(rest)} others", f"{sum(count for _, count in rest):,}", 0, "rest")]
        ordered = ordered[: limit - 1]
    most = max((count for _, count in ordered), default=0) or 1
    return [Bar(label, f"{count:,}", round(100 * count / most, 2)) for label, count in ordered] + others


def dot_charts(table: Table, tone: Mapping[str, int], preferred: Sequence[str] = ()) -> list[DotChart]:
    """Return up to three dot charts of a table's metrics, the preferred ones first."""
    defined = [metric for at, metric in enumerate(table.metrics) if any(_value(row[at].score) for row in table.cells)]
    chosen = [metric for metric in dict.fromkeys(preferred) if metric in defined]
    chosen += [metric for metric in defined if metric not in chosen]
    return [_dots(table, metric, tone) for metric in chosen[:CHARTS]]


def scale_of(scores: Sequence[Score]) -> Axis:
    """Return an axis from 0 that holds scores and their intervals, to 100 at most where that is their scale."""
    unit = scores[0].unit if scores else ""
    highest = max((end for score in scores for end in (score.value, score.high) if end is not None), default=0.0)
    return axis([0.0, highest], show=lambda value: number(value, unit) if unit else f"{value:g}")


def dot(score: Score, scale: Axis, tone: int, way: Direction = "", asked: int = 0) -> Dot:
    """Return a score as a dot; its value is not None. Questions that are not `asked` many stand behind its interval."""
    value = score.value or 0.0
    low, high = (value if end is None else end for end in (score.low, score.high))
    rests = f"n = {score.n}" if asked not in (0, score.n) else ""
    interval = [f"{number(low, score.unit)}–{number(high, score.unit)}"] if score.low is not None else []
    return Dot(
        system=score.system,
        tone=tone,
        text=number(value, score.unit),
        interval=", ".join([*interval, *filter(None, [rests])]),
        at=scale.place(value),
        low=scale.place(low),
        high=scale.place(high),
        direction=way,
        rests=rests,
    )


def _dots(table: Table, metric: str, tone: Mapping[str, int]) -> DotChart:
    at = table.metrics.index(metric)
    known = [(row[at].score, row[at].direction) for row in table.cells]
    scores = [(score, way) for score, way in known if score is not None and score.value is not None]
    scale = scale_of([score for score, _ in scores])
    dots = tuple(dot(score, scale, tone.get(score.system, 0), way, table.n) for score, way in scores)
    return DotChart(table.labels[at], dots, scale.ticks)


def _value(score: Score | None) -> bool:
    return score is not None and score.value is not None


def curve(log: Sequence[Mapping[str, float]]) -> Curve | None:
    """Return the loss curve of a training log, or None where it holds fewer than two losses."""
    train = [(row["step"], row["loss"]) for row in log if "step" in row and "loss" in row]
    validation = [(row["step"], row["eval_loss"]) for row in log if "step" in row and "eval_loss" in row]
    values = [loss for _, loss in train + validation if math.isfinite(loss)]
    if len(train) < 2 or not values:
        return None
    last = max(step for step, _ in train + validation) or 1
    low, high, step = ends(values, 6)
    count = round((high - low) / step)

    def place(point: tuple[float, float]) -> tuple[float, float]:
        return round(100 * point[0] / last, 2), round(100 * (high - point[1]) / (high - low), 2)

    marks = [place(point) for point in validation if math.isfinite(point[1])]
    return Curve(
        train=" ".join(f"{x},{y}" for x, y in map(place, train) if math.isfinite(y)),
        validation=" ".join(f"{x},{y}" for x, y in marks),
        validation_points=tuple(marks),
        x_ticks=tuple((100 * i / 4, f"{last * i / 4:.0f}") for i in range(5)),
        y_ticks=tuple((100 - 100 * i / count, f"{low + i * step:.4g}") for i in range(count + 1)),
        facts=_facts(log, train, validation),
    )


def _facts(
    log: Sequence[Mapping[str, float]],
    train: Sequence[tuple[float, float]],
    validation: Sequence[tuple[float, float]],
) -> tuple[tuple[str, str], ...]:
    facts = [("steps", f"{train[-1][0]:,.0f}"), ("loss", f"{train[0][1]:.2f} → {train[-1][1]:.2f}")]
    if validation:
        best = min(validation, key=lambda point: point[1])
        facts.append(("best validation loss", f"{best[1]:.2f} at step {best[0]:,.0f}"))
    for key, label in (("epoch", "passes over the rows"), ("tokens", "tokens seen"), ("seconds", "seconds")):
        if reached := max((row[key] for row in log if key in row), default=0):
            facts.append((label, f"{reached:,.1f}".removesuffix(".0")))
    return tuple(facts)
