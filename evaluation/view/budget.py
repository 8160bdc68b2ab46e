"""Where the budget of a loop went: every area's pairs, round by round, and how weak the model was and is on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from doceo.core.loop import Arm, LoopRecord, Series
from evaluation.view.rounds import ARMS


@dataclass(frozen=True)
class Piece:
    """A round's part of an area's bar, in per cent of the longest bar."""

    x: float
    width: float
    shade: int
    words: str


@dataclass(frozen=True)
class AreaRow:
    """An area: its share of the text, how weak the model was and is, and the pairs that each arm made, by round."""

    key: str
    text: str
    before: float | None
    after: float | None
    bars: tuple[tuple[int, tuple[Piece, ...], str], ...]
    """(colour, pieces, pairs in words) of every arm."""


def areas(record: LoopRecord) -> list[AreaRow]:
    """Return every area, the weakest first."""
    arms: dict[Arm, list[Series]] = {}
    for series in record.series:
        arms.setdefault(series.arm, []).append(series)
    made = {arm: _made(group) for arm, group in arms.items()}
    most = max((sum(by.get(area.key, ())) for by in made.values() for area in record.areas), default=0.0) or 1.0
    before = {gap.key: gap.weakness for gap in record.start.gaps}
    last = [series.rounds[-1] for series in arms.get("gap", ()) if series.rounds]
    after = _averages([{gap.key: gap.weakness for gap in one.gaps} for one in last])
    rows = [
        AreaRow(
            key=area.key,
            text=f"{100 * area.text:.0f} %",
            before=_share(before.get(area.key)),
            after=_share(after.get(area.key)),
            bars=tuple(_bar(arm, by.get(area.key, []), most) for arm, by in made.items()),
        )
        for area in record.areas
    ]
    return sorted(rows, key=lambda row: (-(row.before or 0.0), row.key))


def _made(group: Sequence[Series]) -> dict[str, list[float]]:
    """Return area -> pairs of each round, mean over seeds."""
    found: dict[str, list[float]] = {}
    rounds = max((len(series.rounds) for series in group), default=0)
    for series in group:
        for at, one in enumerate(series.rounds):
            for area, count in one.made.items():
                found.setdefault(area, [0.0] * rounds)[at] += count / len(group)
    return found


def _bar(arm: Arm, pairs: Sequence[float], most: float) -> tuple[int, tuple[Piece, ...], str]:
    at, pieces = 0.0, []
    for number, count in enumerate(pairs, 1):
        width = 100 * count / most
        pieces.append(Piece(round(at, 2), round(width, 2), min(number, 4), f"round {number}: {count:.3g}"))
        at += width
    return ARMS[arm][1], tuple(pieces), f"{sum(pairs):.3g}"


def _averages(tables: Sequence[Mapping[str, float]]) -> dict[str, float]:
    keys = dict.fromkeys(key for table in tables for key in table)
    return {key: sum(known) / len(known) for key in keys if (known := [table[key] for table in tables if key in table])}


def _share(weakness: float | None) -> float | None:
    return None if weakness is None else round(100 * weakness, 1)
