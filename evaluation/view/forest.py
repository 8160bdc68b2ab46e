"""Paired differences with their intervals, around the line of no difference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from doceo.core.records import Score
from evaluation.amounts import signed
from evaluation.table import Direction, Table, direction, number
from evaluation.view.axis import axis


@dataclass(frozen=True)
class Difference:
    """One system's difference to the baseline; places are in per cent of the axis."""

    system: str
    tone: int
    value: str
    interval: str
    at: float
    low: float
    high: float
    direction: Direction
    p: str
    effect: str
    detectable: str
    n: int


@dataclass(frozen=True)
class Forest:
    """One metric's differences to the baseline. `better` says which side is the better one."""

    title: str
    better: str
    zero: float
    rows: tuple[Difference, ...]
    ticks: tuple[tuple[float, str], ...]


def forests(table: Table, tone: Mapping[str, int]) -> list[Forest]:
    """Return a chart for every metric of a table that has differences."""
    found = []
    for at, label in enumerate(table.labels):
        scores = [cells[at].difference for cells in table.cells]
        known = [score for score in scores if score is not None and score.value is not None]
        if known:
            found.append(_forest(label, known, tone))
    return found


def _forest(label: str, scores: list[Score], tone: Mapping[str, int]) -> Forest:
    ends = [end for score in scores for end in (score.low, score.high, score.value) if end is not None]
    scale = axis([*ends, 0.0], show=lambda value: f"{value:+.4g}".replace("-", "\u2212") if value else "0")

    def row(score: Score) -> Difference:
        value = score.value or 0.0
        low, high = (value if end is None else end for end in (score.low, score.high))
        return Difference(
            system=score.system,
            tone=tone.get(score.system, 0),
            value=signed(value, score.unit),
            interval=f"{signed(low, score.unit)} to {signed(high, score.unit)}" if score.low is not None else "",
            at=scale.place(value),
            low=scale.place(low),
            high=scale.place(high),
            direction=direction(score),
            p=_chance(score.p_holm),
            effect="" if score.effect is None else f"{score.effect:+.2f}".replace("-", "\u2212"),
            detectable="" if score.detectable is None else number(score.detectable, score.unit),
            n=score.n,
        )

    better = {"higher": "right", "lower": "left", "": ""}[scores[0].better]
    return Forest(label, better, scale.place(0), tuple(map(row, scores)), scale.ticks)


def _chance(p: float | None) -> str:
    if p is None:
        return ""
    return "< 0.001" if p < 0.001 else f"{p:.3f}" if p < 0.1 else f"{p:.2f}"
