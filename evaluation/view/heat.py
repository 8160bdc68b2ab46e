"""Slices of a set as a table of tinted cells: where which system is weak."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from doceo.core.records import Difficulty, Score, Slice
from evaluation.amounts import signed
from evaluation.slices import AXES, LENGTHS
from evaluation.table import Direction, direction, number

LEVELS = 10
"""Steps of the tint, from 0 for nothing to 10 for the most."""
FEW = 10
"""Slices of fewer questions are drawn faintly: a handful can come out anyhow."""
MOST = 30
"""Rows of one table; the others are in slices.csv."""
TITLES = {"answerable": "Answerable", "length": "Length of the expected answer", "turn": "Turn of the conversation"}
_NATURAL = [*get_args(Difficulty), *(name for _, name in LENGTHS), "more than 30 words"]


@dataclass(frozen=True)
class Cell:
    """One system on one slice."""

    value: str
    interval: str
    level: int
    direction: Direction
    words: str
    """All of it as a line for a reader who asks."""


@dataclass(frozen=True)
class Row:
    """One slice; `few` says that it has so few questions that its values say little."""

    key: str
    n: int
    few: bool
    cells: tuple[Cell | None, ...]


@dataclass(frozen=True)
class Heat:
    """One axis of a set under one metric."""

    axis: str
    title: str
    metric: str
    label: str
    systems: tuple[str, ...]
    rows: tuple[Row, ...]
    more: int


def heats(slices: Sequence[Slice], set_name: str) -> list[Heat]:
    """Return a table for every axis and metric that a set was sliced by."""
    some = [one for one in slices if one.set == set_name]
    found = []
    for metric in dict.fromkeys(one.metric for one in some):
        for name in AXES:
            chosen = [one for one in some if one.metric == metric and one.axis == name]
            if chosen:
                found.append(_heat(name, chosen))
    return found


def _heat(name: str, slices: Sequence[Slice]) -> Heat:
    single = {(one.key, one.system): one for one in slices if not one.versus}
    paired = {(one.key, one.system): one for one in slices if one.versus}
    systems = tuple(dict.fromkeys(one.system for one in slices))
    sizes: dict[str, int] = {}
    for (key, _), one in single.items():
        sizes[key] = max(one.n, sizes.get(key, 0))
    keys = sorted(sizes, key=lambda key: _place(key, sizes[key]))
    most = max((abs(one.value) for one in single.values() if one.value is not None), default=0.0)
    full = most if slices[0].unit else 100.0
    rows = tuple(
        Row(
            key=key,
            n=sizes[key],
            few=sizes[key] < FEW,
            cells=tuple(_cell(single.get((key, system)), paired.get((key, system)), full) for system in systems),
        )
        for key in keys[:MOST]
    )
    title = TITLES.get(name, name.capitalize())
    return Heat(name, title, slices[0].metric, slices[0].label, systems, rows, max(0, len(keys) - MOST))


def _place(key: str, n: int) -> tuple[int, int, str]:
    """Return the place of a slice: in the order of what is ordered, else the largest first."""
    return (_NATURAL.index(key), 0, key) if key in _NATURAL else (0, 0 if key[:1].isdigit() else -n, key)


def _cell(one: Slice | None, difference: Score | None, full: float) -> Cell | None:
    if one is None or one.value is None:
        return None
    interval = ""
    if one.low is not None and one.high is not None:
        interval = f"{number(one.low, one.unit)}–{number(one.high, one.unit)}"
    words = f"{one.system} on {one.key}: {one.label} {number(one.value, one.unit)}"
    words += f" [{interval}], {one.n} questions" if interval else f", {one.n} questions"
    if difference is not None and difference.value is not None:
        words += f"; {signed(difference.value, one.unit)} against {difference.versus}"
        words += {"better": ", clearly better", "worse": ", clearly worse", "": ""}[direction(difference)]
    return Cell(
        value=number(one.value, one.unit),
        interval=interval,
        level=round(LEVELS * min(1.0, abs(one.value) / full)) if full else 0,
        direction=direction(difference),
        words=f"{words}.",
    )
