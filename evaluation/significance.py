"""Intervals and paired differences by resampling, on sums of sufficient statistics: one engine for every metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy.special import ndtr

from evaluation.metric import Mean, Metric, Rows, items
from evaluation.power import detectable, fewest, tail
from evaluation.resampling import drawn, sides, summed

_HEAVIEST = 3.18
"""A sum of values with signs by a coin is never more than so many times as often far out as a normal one."""


@dataclass(frozen=True)
class Sample:
    """The statistics of a system's answers, shape (n, k), under a metric; with a baseline's, of the same questions."""

    metric: Metric
    rows: Rows
    baseline: Rows | None = None


@dataclass(frozen=True)
class Estimate:
    """A value with its 95 % interval; None where undefined. Bounds are None below two answers.

    Of a difference: `p` is its two-sided p-value, `effect` Cohen's d of the paired differences of single answers (None
    where answers have no value of their own), `detectable` the smallest true difference that such a comparison would
    find four times in five (two-sided test at 5 %), in the metric's own unit; None where it would find none.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    effect: float | None = None
    detectable: float | None = None


def estimates(samples: Sequence[Sample], *, resamples: int, seed: int) -> list[Estimate]:
    """Return value or paired difference of every sample, in order.

    The interval is a percentile bootstrap (Efron 1979), for differences with both sides drawn together (Koehn 2004),
    widened for few questions (`power.tail`). `p` is by approximate randomisation (Noreen 1989; Riezler and Maxwell
    2005): how often a difference at least as large comes about when the two answers to each question change sides by
    a coin. It is never below what as many differing questions can show.

    Where no randomisation is as large, and the difference is one of means over the same counts, so that randomised
    ones are sums of values with signs by a coin, `p` is the tail of a normal distribution of their spread times 3.18,
    which for such sums is never too little (Bentkus and Dzindzalieta 2015, "A tight Gaussian bound for weighted sums
    of Rademacher random variables"). Of other metrics it is never below one in the randomisations and one more.
    """
    found: dict[int, Estimate] = {}
    by_size: dict[int, list[int]] = {}
    for place, sample in enumerate(samples):
        by_size.setdefault(len(sample.rows), []).append(place)
    for n, places in by_size.items():
        some = [samples[place] for place in places]
        made = _of_size(some, resamples, seed) if n > 1 else [Estimate(value_of(sample)) for sample in some]
        found |= dict(zip(places, made, strict=True))
    return [found[place] for place in range(len(samples))]


def interval(metric: Metric, rows: Rows, *, resamples: int, seed: int) -> Estimate:
    """Return the corpus value of statistics, shape (n, k), with its interval."""
    return estimates([Sample(metric, rows)], resamples=resamples, seed=seed)[0]


def paired(metric: Metric, rows: Rows, baseline: Rows, *, resamples: int, seed: int) -> Estimate:
    """Return the difference to a baseline on the same questions, row by row."""
    return estimates([Sample(metric, rows, baseline)], resamples=resamples, seed=seed)[0]


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number (Holm 1979), in the order given."""
    order = sorted(range(len(p_values)), key=lambda at: p_values[at])
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for rank, at in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[at]))
        corrected[at] = highest
    return corrected


def resampled(samples: Sequence[Sample], *, resamples: int, seed: int) -> list[Rows]:
    """Return the bootstrap values of every sample, each of shape (resamples,), drawn together; NaN where undefined.

    All samples are of the same number of questions.
    """
    if not samples:
        return []
    columns, places = _columns(samples)
    blocks = [_values(samples, sums, places) for sums in summed(drawn(len(columns), resamples, seed), columns)]
    return [np.concatenate(values) for values in zip(*blocks, strict=True)]


def swapped(samples: Sequence[Sample], *, resamples: int, seed: int) -> list[Rows]:
    """Return every sample's differences with answers changing sides by a coin, each of shape (resamples,).

    All samples have a baseline and are of the same number of questions; a question's two answers change sides in all
    of them together. NaN where undefined.
    """
    if not samples:
        return []
    apart = np.concatenate([sample.rows - _base(sample) for sample in samples], axis=1)
    ends = np.cumsum([0, *(sample.rows.shape[1] for sample in samples)]).tolist()
    found: list[list[Rows]] = [[] for _ in samples]
    for moved in summed(sides(len(apart), resamples, seed), apart):
        for sample, place, values in zip(samples, pairwise(ends), found, strict=True):
            first = _base(sample).sum(axis=0) + moved[:, slice(*place)]
            second = sample.rows.sum(axis=0) - moved[:, slice(*place)]
            values.append(sample.metric.corpus(first) - sample.metric.corpus(second))
    return [np.concatenate(values) for values in found]


def _of_size(samples: Sequence[Sample], resamples: int, seed: int) -> list[Estimate]:
    values = resampled(samples, resamples=resamples, seed=seed)
    compared = [sample for sample in samples if sample.baseline is not None]
    nulls = iter(swapped(compared, resamples=resamples, seed=seed))
    return [
        _estimate(sample, boot, None if sample.baseline is None else next(nulls))
        for sample, boot in zip(samples, values, strict=True)
    ]


def _estimate(sample: Sample, boot: Rows, null: Rows | None) -> Estimate:
    value, defined = value_of(sample), boot[~np.isnan(boot)]
    if value is None or not len(defined):
        return Estimate(value)
    outside = tail(len(sample.rows))
    low, high = np.quantile(defined, [outside, 1 - outside])
    if null is None:
        return Estimate(value, float(low), float(high))
    seen = detectable(float(defined.std(ddof=1)), len(sample.rows), differing(sample), change(sample))
    return Estimate(value, float(low), float(high), _p_value(sample, value, null), _effect(sample), seen)


def _columns(samples: Sequence[Sample]) -> tuple[Rows, list[slice]]:
    """Return the statistics of all samples side by side, and where each stands, baselines behind their systems.

    The same statistics, which stand in a system's value, its difference and as a baseline, are taken once.
    """
    sides_of = [rows for sample in samples for rows in (sample.rows, sample.baseline) if rows is not None]
    where = [(rows.__array_interface__["data"][0], rows.shape, rows.strides) for rows in sides_of]
    once = dict(zip(where, sides_of, strict=True))
    ends = np.cumsum([0, *(rows.shape[1] for rows in once.values())]).tolist()
    places = {one: slice(a, b) for one, (a, b) in zip(once, pairwise(ends), strict=True)}
    return np.concatenate(list(once.values()), axis=1), [places[one] for one in where]


def _values(samples: Sequence[Sample], sums: Rows, places: Sequence[slice]) -> list[Rows]:
    """Return the values, shape (b,), of every sample from the sums of its columns, shape (b, all columns)."""
    at, found = iter(places), []
    for sample in samples:
        values = sample.metric.corpus(sums[:, next(at)])
        found.append(values if sample.baseline is None else values - sample.metric.corpus(sums[:, next(at)]))
    return found


def _p_value(sample: Sample, observed: float, null: Rows) -> float | None:
    null = null[~np.isnan(null)]
    if not len(null):
        return None
    least = 2.0 ** (1 - differing(sample))
    spread = float(np.sqrt((null**2).mean()))
    if least >= 1 or not spread:
        return 1.0
    # sums in another order differ in their last digits
    near = 1e-9 * max(abs(_total(sample.metric, rows)) for rows in (sample.rows, _base(sample)))
    beyond = int((np.abs(null) >= abs(observed) - near).sum())
    counted = (beyond + 1) / (len(null) + 1)
    # Of what is not a sum of signs nothing is known beyond what was counted.
    if beyond or not _sums_signs(sample):
        return max(least, counted)
    return max(least, min(counted, _HEAVIEST * 2 * float(ndtr(-abs(observed) / spread))))


def _sums_signs(sample: Sample) -> bool:
    """Return whether differences after swaps are sums of values with signs: of means over as many in both."""
    linear = getattr(type(sample.metric), "corpus", None) is Mean.corpus
    return linear and np.array_equal(sample.rows[:, 1], _base(sample)[:, 1])


def differing(sample: Sample) -> int:
    """Return how many questions' two answers have other statistics."""
    return int((sample.rows != _base(sample)).any(axis=1).sum())


def change(sample: Sample) -> float | None:
    """Return by how much the value of an answer that changes changes; None where single answers have no value.

    Where fewer answers differ than could be told from chance, it is the whole scale: 0 to 100, or the range of values
    that have a unit.
    """
    own, base = (items(sample.metric, rows) for rows in (sample.rows, _base(sample)))
    if own is None or base is None:
        return None
    changes = np.abs(own - base)[own != base]
    if len(changes) >= fewest():
        return float(changes.mean())
    return float(np.ptp([own, base])) if sample.metric.unit else 100.0


def _effect(sample: Sample) -> float | None:
    """Return Cohen's d of paired differences: their mean over their standard deviation."""
    own, base = (items(sample.metric, rows) for rows in (sample.rows, _base(sample)))
    if own is None or base is None:
        return None
    spread = float((own - base).std(ddof=1))
    return float((own - base).mean()) / spread if spread > 1e-12 else None


def _base(sample: Sample) -> Rows:
    assert sample.baseline is not None
    return sample.baseline


def value_of(sample: Sample) -> float | None:
    """Return the corpus value of a sample, or its difference to the baseline; None where undefined."""
    value = _total(sample.metric, sample.rows)
    if sample.baseline is not None:
        value -= _total(sample.metric, sample.baseline)
    return None if np.isnan(value) else value


def _total(metric: Metric, rows: Rows) -> float:
    return float(metric.corpus(rows.sum(axis=0, keepdims=True))[0])
