"""Where a check is to draw its line, from what a person kept and dropped of the pairs that passed it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Weights = NDArray[np.intp]

MOST_LOST = 0.2
"""No line is proposed that refuses more than this share of the kept ones."""
PERMUTATIONS = 2000
RESAMPLES = 1000


@dataclass(frozen=True)
class Line:
    """A proposed line.

    Attributes:
        at: Where it lies.
        low: Lower end of its 95 % interval.
        high: Upper end.
        found: Dropped ones beyond it.
        lost: Kept ones beyond it.
        p: Chance of a line as good among labels that have nothing to do with the score.
    """

    at: float
    low: float
    high: float
    found: int
    lost: int
    p: float


def refit(scores: Sequence[float], dropped: Sequence[bool], *, from_above: bool, seed: int = 0) -> Line | None:
    """Return the line that tells the dropped from the kept best, or None where no line tells anything.

    The best is that of the greatest share of dropped ones refused less that of kept ones (Youden 1950: balanced
    accuracy is half of it and a half), of those that refuse at most `MOST_LOST` of the kept. It lies halfway between
    two scores. Because it is the best of many lines, its p value is that of the best lines of permuted labels; its
    interval is that of the lines of bootstrap samples, drawn from dropped and kept apart.

    Args:
        scores: What the check measured.
        dropped: Whether the person dropped it, for each score; some were and some were not.
        from_above: True where the check refuses what reaches its line, False where it refuses what stays below.
        seed: Of permutations and resamples.
    """
    values = np.asarray(scores, dtype=np.float64)
    order = np.argsort(-values if from_above else values, kind="stable")
    values, bad = values[order], np.asarray(dropped, dtype=np.intp)[order]
    ends = np.flatnonzero(np.diff(values) != 0)
    if not len(ends):
        return None
    gain, place = _best(bad, 1 - bad, ends)
    if gain <= 0:
        return None
    luck = np.random.default_rng(seed)
    as_good = 0
    for _ in range(PERMUTATIONS):
        mixed = luck.permutation(bad)
        as_good += _best(mixed, 1 - mixed, ends)[0] >= gain - 1e-12
    lines = [_between(values, _best(*_resampled(bad, luck), ends)[1]) for _ in range(RESAMPLES)]
    low, high = np.quantile(lines, (0.025, 0.975))
    return Line(
        at=_between(values, place),
        low=float(low),
        high=float(high),
        found=int(bad[: place + 1].sum()),
        lost=int((1 - bad[: place + 1]).sum()),
        p=(1 + as_good) / (1 + PERMUTATIONS),
    )


def _best(dropped: Weights, kept: Weights, ends: NDArray[np.intp]) -> tuple[float, int]:
    """Return the greatest gain of a line, and the place of the last item that it refuses; of equals the mildest.

    Args:
        dropped: How often each item counts as dropped, the worst score first.
        kept: How often as kept.
        ends: Places after which a line can lie.
    """
    found = np.cumsum(dropped)[ends] / max(1, dropped.sum())
    lost = np.cumsum(kept)[ends] / max(1, kept.sum())
    gains = np.where(lost <= MOST_LOST, found - lost, -1.0)
    best = int(np.argmax(gains))
    return float(gains[best]), int(ends[best])


def _resampled(bad: Weights, luck: np.random.Generator) -> tuple[Weights, Weights]:
    """Return how often each item is drawn as dropped and as kept, as many of either as there are."""
    counts = []
    for group in (np.flatnonzero(bad), np.flatnonzero(1 - bad)):
        counts.append(np.bincount(luck.choice(group, len(group)), minlength=len(bad)))
    return counts[0], counts[1]


def _between(values: NDArray[np.float64], place: int) -> float:
    """Return the middle between two scores, with as few digits as lie between them."""
    one, other = sorted((float(values[place]), float(values[place + 1])))
    middle = (one + other) / 2
    shorter = (round(middle, digits) for digits in range(1, 9))
    return next((short for short in shorter if one < short < other), middle)
