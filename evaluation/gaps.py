"""Where a model is weak: every area's share of what it does not know, shrunken so that small areas do not shout.

An area of five questions has all of them wrong now and then by chance alone. Its own mean is therefore drawn towards
that of all areas, the more so the fewer questions it has and the less areas differ at all (Efron and Morris 1975,
"Data analysis using Stein's estimator and its generalizations").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from doceo.core.records import Gap

Array = NDArray[np.float64]
_SPREADS = np.linspace(0.0, 0.5, 101)
"""Standard deviations that true means between 0 and 1 can have."""
_REACH = NormalDist().inv_cdf(0.975)
_MOST_VARIANCE = 0.25
"""No values between 0 and 1 vary more."""


@dataclass(frozen=True)
class Weakness:
    """How weak an area is, 0 (everything right) to 1, with a 95 % interval; `observed` is its own mean, if it has one.

    An area without a question has the mean of all, and the interval of an area of which nothing is known.
    """

    value: float
    low: float
    high: float
    n: int
    observed: float | None


def gaps(
    values: Mapping[str, float],
    key_of: Mapping[str, str],
    axis: str,
    *,
    pairs: Mapping[str, int] | None = None,
    covered: Mapping[str, float] | None = None,
) -> list[Gap]:
    """Return the weaknesses along one axis, the weakest first; of equal ones, the surer first.

    Args:
        values: Pair id -> score of the answer, 0 to 100.
        key_of: Pair id -> the question's value on the axis; questions without one are left out.
        axis: The axis, such as `topic`.
        pairs: Trained pairs of every key; keys without a question are then listed too.
        covered: Share of every key's text that its trained pairs ask about.
    """
    losses: dict[str, list[float]] = {key: [] for key in pairs or {}}
    for pair_id, value in values.items():
        if key := key_of.get(pair_id, ""):
            losses.setdefault(key, []).append(1 - value / 100)
    found = [
        Gap(
            axis=axis,
            key=key,
            weakness=round(weakness.value, 4),
            n=weakness.n,
            low=round(weakness.low, 4),
            high=round(weakness.high, 4),
            observed=None if weakness.observed is None else round(weakness.observed, 4),
            pairs=None if pairs is None else pairs.get(key, 0),
            covered=None if covered is None else round(covered.get(key, 0.0), 4),
        )
        for key, weakness in shrunken(losses).items()
    ]
    return sorted(found, key=lambda gap: (-gap.weakness, -gap.low, gap.key))


def shrunken(losses: Mapping[str, Sequence[float]]) -> dict[str, Weakness]:
    """Return the weakness of every area from the losses of its answers, 0 to 1.

    Areas' true means are taken for draws from a normal distribution around one mean. How far they lie apart is not
    known; every spread that could be is weighted by how well it explains the areas (Gelman and others, "Bayesian Data
    Analysis", section 5.4, uniform prior). A point estimate of it is often 0 where there are few areas, and all would
    look alike, and surely so. The variance of answers within areas is pooled, with one answer of loss 0 and one of
    loss 1 added, since a handful of equal answers does not prove that all are.
    """
    asked = {key: np.asarray(values, dtype=np.float64) for key, values in losses.items() if len(values)}
    if not asked:
        return {key: Weakness(0.5, 0.0, 1.0, 0, None) for key in losses}
    n = np.array([len(values) for values in asked.values()])
    means = np.array([values.mean() for values in asked.values()])
    sampling = _within(list(asked.values())) / n
    total = sampling + _SPREADS[:, None] ** 2
    precision = (1 / total).sum(axis=1)
    centres = (means / total).sum(axis=1) / precision
    fit = -0.5 * (np.log(precision) + (np.log(total) + (means - centres[:, None]) ** 2 / total).sum(axis=1))
    weights = np.exp(fit - fit.max())
    weights /= weights.sum()
    pull = sampling / total
    values = pull * centres[:, None] + (1 - pull) * means
    variances = sampling * (1 - pull) + pull**2 / precision[:, None]
    known = zip(asked, n.tolist(), means.tolist(), values.T, variances.T, strict=True)
    found = {key: _weakness(weights, value, spread, size, mean) for key, size, mean, value, spread in known}
    unknown = _weakness(weights, centres, _SPREADS**2 + 1 / precision, 0, None)
    return {key: found.get(key, unknown) for key in losses}


def _weakness(weights: Array, values: Array, variances: Array, n: int, observed: float | None) -> Weakness:
    """Return the mean of what is likely for every spread, and its interval as that of a normal distribution."""
    value = float((weights * values).sum())
    reach = _REACH * float((weights * (variances + (values - value) ** 2)).sum()) ** 0.5
    return Weakness(value, max(0.0, value - reach), min(1.0, value + reach), n, observed)


def _within(groups: Sequence[Array]) -> float:
    """Return the pooled variance of single answers around the mean of their area."""
    squares = sum(float(((values - values.mean()) ** 2).sum()) for values in groups)
    freedom = sum(len(values) - 1 for values in groups)
    return min(_MOST_VARIANCE, (squares + 0.5) / (freedom + 1))
