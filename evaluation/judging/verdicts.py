"""From what a judge said of two answers in both orders to wins, losses and ties."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean

from evaluation.judging.records import Better, Compared

EVEN = 50.0


def rounds(compared: Iterable[Compared]) -> dict[tuple[str, int], list[Better]]:
    """Return (answer, round) -> what the judge said in its orders."""
    found: dict[tuple[str, int], list[Better]] = {}
    for one in compared:
        found.setdefault((one.answer, one.round), []).append(one.better)
    return found


def win_shares(compared: Iterable[Compared]) -> dict[str, float]:
    """Return answer -> 100 where it won against the baseline's, 0 where it lost, 50 for a tie; the mean of the rounds.

    It wins or loses where both orders say so; a verdict that changes with the order is a tie. A round of which a reply
    could not be read does not count.
    """
    found: dict[str, list[float]] = {}
    for (answer, _), said in rounds(compared).items():
        if "" not in said:
            value = 100.0 if set(said) == {"answer"} else 0.0 if set(said) == {"base"} else EVEN
            found.setdefault(answer, []).append(value)
    return {answer: fmean(values) for answer, values in found.items()}
