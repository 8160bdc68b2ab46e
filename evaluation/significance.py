"""Intervals and paired differences by resampling, on sums of sufficient statistics.

The same seed gives the same resamples, so that systems which answered the same questions are compared on them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from evaluation.metric import Metric, Rows

LEVEL = 95
_CELLS = 4_000_000


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval, and for a difference the p-value. Bounds are None below two answers."""

    value: float
    low: float | None
    high: float | None
    p: float | None = None


def interval(metric: Metric, rows: Rows, *, resamples: int, seed: int) -> Estimate:
    """Return the corpus value of statistics, shape (n, k), with its percentile bootstrap interval (Efron 1979)."""
    value = _total(metric, rows)
    if len(rows) < 2:
        return Estimate(value, None, None)
    values = np.concatenate([metric.corpus(counts @ rows) for counts in _resampled(len(rows), resamples, seed)])
    return Estimate(value, *_bounds(values))


def paired(metric: Metric, rows: Rows, baseline: Rows, *, resamples: int, seed: int) -> Estimate:
    """Return the difference to a baseline on the same questions, row by row (Koehn 2004).

    The interval is a percentile bootstrap of the difference, both sides drawn together. `p` is two-sided, by
    approximate randomisation (Noreen 1989; Riezler and Maxwell 2005): how often a difference at least as large
    comes about when the two answers to each question change sides by a coin.
    """
    value = _total(metric, rows) - _total(metric, baseline)
    if len(rows) < 2:
        return Estimate(value, None, None)
    draws = _resampled(len(rows), resamples, seed)
    differences = [metric.corpus(counts @ rows) - metric.corpus(counts @ baseline) for counts in draws]
    low, high = _bounds(np.concatenate(differences))
    return Estimate(value, low, high, _p_value(metric, rows, baseline, abs(value), resamples, seed))


def _p_value(metric: Metric, rows: Rows, baseline: Rows, observed: float, resamples: int, seed: int) -> float:
    if np.array_equal(rows, baseline):
        return 1.0
    random = np.random.default_rng([seed, 1])
    both = rows.sum(axis=0) + baseline.sum(axis=0)
    extreme = 0
    for size in _blocks(len(rows), resamples):
        stays = random.integers(2, size=(size, len(rows))).astype(np.float64)
        first = stays @ rows + (1 - stays) @ baseline
        extreme += int((np.abs(metric.corpus(first) - metric.corpus(both - first)) >= observed - 1e-9).sum())
    return (extreme + 1) / (resamples + 1)


def _total(metric: Metric, rows: Rows) -> float:
    return float(metric.corpus(rows.sum(axis=0, keepdims=True))[0])


def _bounds(values: Rows) -> tuple[float, float]:
    low, high = np.percentile(values, [(100 - LEVEL) / 2, (100 + LEVEL) / 2])
    return float(low), float(high)


def _resampled(n: int, resamples: int, seed: int) -> Iterator[Rows]:
    """Yield blocks, shape (b, n): how often each of n answers was drawn in each of b resamples."""
    random = np.random.default_rng([seed, 0])
    for size in _blocks(n, resamples):
        drawn = random.integers(n, size=(size, n)) + np.arange(size)[:, np.newaxis] * n
        yield np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(np.float64)


def _blocks(n: int, resamples: int) -> list[int]:
    """Return the sizes of the blocks in which resamples are drawn, so that memory stays bounded."""
    size = max(1, min(resamples, _CELLS // n))
    whole, rest = divmod(resamples, size)
    return [size] * whole + [rest] * bool(rest)
