"""Positions on the page's charts, in per cent; the templates draw them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from doceo.core.records import Score
from evaluation.table import LABELS, Direction, Table


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
    """One system's value on an axis, with its interval, in per cent of the axis."""

    system: str
    text: str
    at: float
    low: float
    high: float
    direction: Direction


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


def dot_charts(table: Table, preferred: Sequence[str] = ("chrf", "rougeL", "f1")) -> list[DotChart]:
    """Return up to three dot charts of a table's metrics, each on an axis from 0 to a round number."""
    chosen = [metric for metric in preferred if metric in table.metrics] or list(table.metrics[:3])
    return [_dots(table, metric) for metric in chosen]


def _dots(table: Table, metric: str) -> DotChart:
    column = [cells[table.metrics.index(metric)] for cells in table.cells]
    highest = max((_top(cell.score) for cell in column), default=0)
    step = next(s for s in (1, 2, 5, 10, 20, 25, 50) if highest <= 4 * s or s == 50)
    end = min(100, step * max(1, math.ceil(highest / step)))
    dots = [
        Dot(
            system=system,
            text=f"{cell.score.value:.1f}",
            at=100 * cell.score.value / end,
            low=100 * (cell.score.value if cell.score.low is None else cell.score.low) / end,
            high=100 * (cell.score.value if cell.score.high is None else cell.score.high) / end,
            direction=cell.direction,
        )
        for system, cell in zip(table.systems, column, strict=True)
        if cell.score is not None and cell.score.value is not None
    ]
    ticks = tuple((100 * tick / end, str(tick)) for tick in range(0, end + 1, step))
    return DotChart(LABELS.get(metric, metric), tuple(dots), ticks)


def _top(score: Score | None) -> float:
    return 0 if score is None else max(score.value or 0, score.high or 0)


def curve(log: Sequence[Mapping[str, float]]) -> Curve | None:
    """Return the loss curve of a training log, or None where it holds fewer than two losses."""
    train = [(row["step"], row["loss"]) for row in log if "step" in row and "loss" in row]
    validation = [(row["step"], row["eval_loss"]) for row in log if "step" in row and "eval_loss" in row]
    values = [loss for _, loss in train + validation if math.isfinite(loss)]
    if len(train) < 2 or not values:
        return None
    last = max(step for step, _ in train + validation) or 1
    low, high, step = _axis(min(values), max(values))
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


def _axis(low: float, high: float) -> tuple[float, float, float]:
    """Return round ends and a step that hold the values in at most six steps."""
    spread = max(high - low, 1e-6)
    power = 10.0 ** math.floor(math.log10(spread / 4))
    step = next(power * s for s in (1, 2, 2.5, 5, 10) if spread / (power * s) <= 5)
    start = math.floor(low / step) * step
    return start, max(math.ceil(high / step) * step, start + step), step


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
