"""How far an estimate from few questions can be off, and what a paired comparison could have seen."""

from __future__ import annotations

from math import ceil, log2

from scipy.special import betaincinv, ndtr, ndtri, stdtrit

LEVEL = 95
"""Of every interval, in percent."""
POWER = 0.8
"""How often a difference that is called detectable is found."""
Z = float(ndtri(0.5 + LEVEL / 200))
"""Standard deviations of a normal distribution within which it stays that often."""
RARE = (1 - LEVEL / 100) / 2
"""How often it lies beyond them, to one side."""


def reach(z: float, n: int) -> float:
    """Return how many bootstrap standard deviations stand for `z` true ones, with n questions.

    A bootstrap of few questions is too narrow twice: its spread is that of n where n - 1 would be right, and it takes
    the spread that it sees for the true one, which Student's t does not (Hesterberg 2015, "What teachers should know
    about the bootstrap", section 5.3).
    """
    return float((n / (n - 1)) ** 0.5 * stdtrit(n - 1, ndtr(z)))


def tail(n: int) -> float:
    """Return the share of resamples to leave out at each end, so that a percentile interval holds what it promises."""
    return float(ndtr(-reach(Z, n)))


def fewest(rare: float = RARE) -> int:
    """Return how many answers have to differ, all to one side, before swaps by a coin hardly ever give as much."""
    return ceil(-log2(rare))


def detectable(
    spread: float, n: int, differing: int, change: float | None, *, z: float = Z, rare: float = RARE
) -> float | None:
    """Return the smallest true difference that a comparison finds four times in five; None where it finds none.

    It has to be `z` standard deviations away from nothing, and so many answers have to differ that their swapping does
    not explain it (`fewest`).

    Args:
        spread: Bootstrap standard deviation of the difference.
        n: Questions.
        differing: Those whose two answers differ. Too few say nothing of the spread.
        change: By how much the value of an answer that changes changes, or None where single answers have none.
        z: Standard deviations of a normal distribution.
        rare: Share of swaps, to one side, that are still called chance.
    """
    least = fewest(rare)
    if n < least:
        return None
    # Of what share of n answers four times in five as many as are needed change.
    counted = None if change is None else change * float(betaincinv(least, n - least + 1, POWER))
    if differing < least:
        return counted
    wider = (n / (n - 1)) ** 0.5
    edge = reach(z, n) / wider
    # The spread that is seen varies as well as the difference (Johnson and Welch 1940, on the noncentral t).
    further = float(ndtri(POWER)) * (1 + edge**2 / (2 * (n - 1))) ** 0.5
    return float(max((edge + further) * wider * spread, counted or 0.0))
