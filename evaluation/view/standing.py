"""The picture beside a verdict: every system's quality on every set, beside what it takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from doceo.core.records import Score
from evaluation.amounts import duration, size
from evaluation.costs import Cost
from evaluation.traits import WHAT
from evaluation.verdict import Verdict
from evaluation.view.charts import Dot, dot, scale_of


@dataclass(frozen=True)
class SetColumn:
    """A set, the most questions measured on it, and the axis of its dots, which all sets share."""

    name: str
    n: int


@dataclass(frozen=True)
class Standing:
    """One system; `dots` has one place for every set, None where the set says nothing of the system."""

    system: str
    what: str
    tone: int
    advised: bool
    dots: tuple[Dot | None, ...]
    takes: tuple[str, ...]


@dataclass(frozen=True)
class Picture:
    """All systems side by side."""

    label: str
    sets: tuple[SetColumn, ...]
    ticks: tuple[tuple[float, str], ...]
    takes: tuple[str, ...]
    """What the systems take: the heads of the columns that any system fills."""
    rows: tuple[Standing, ...]


def picture(verdict: Verdict, tone: Mapping[str, int]) -> Picture | None:
    """Return the picture of a verdict, or None where nothing was measured."""
    values = {(score.system, score.set): score for score in verdict.scores if not score.versus}
    if not values:
        return None
    scale = scale_of(list(values.values()))
    sets = tuple(dict.fromkeys(score.set for score in values.values()))
    cost = {one.system: one for one in verdict.costs}
    systems = tuple(dict.fromkeys(score.system for score in values.values()))
    taken = {system: _takes(cost.get(system, Cost(system=system))) for system in systems}
    heads = tuple(head for head in _takes(Cost(system="")) if any(taken[system][head] for system in systems))

    sizes = {name: max(score.n for score in values.values() if score.set == name) for name in sets}

    def placed(score: Score | None) -> Dot | None:
        if score is None or score.value is None:
            return None
        return dot(score, scale, tone.get(score.system, 0), asked=sizes[score.set])

    rows = (
        Standing(
            system=system,
            what=WHAT.get(system, ""),
            tone=tone.get(system, 0),
            advised=system in verdict.systems,
            dots=tuple(placed(values.get((system, name))) for name in sets),
            takes=tuple(taken[system][head] for head in heads),
        )
        for system in systems
    )
    columns = tuple(SetColumn(name, sizes[name]) for name in sets)
    return Picture(verdict.label, columns, scale.ticks, heads, tuple(rows))


def _takes(cost: Cost) -> dict[str, str]:
    return {
        "half within": "" if cost.p50 is None else duration(cost.p50),
        "95 % within": "" if cost.p95 is None else duration(cost.p95),
        "tokens": "" if cost.tokens is None else f"{cost.tokens:,.0f}",
        "memory": "" if cost.memory is None else size(cost.memory) if cost.memory else "none",
        "index": "" if cost.disk is None else size(cost.disk),
        "USD an answer": f"{cost.usd:.2g}" if cost.usd else "",
    }
