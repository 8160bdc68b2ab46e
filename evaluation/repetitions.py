"""Systems that were trained several times, with other seeds: values and differences over all of them.

Seeds and questions are both samples: of trainings that there could have been, and of what could have been asked. A
figure of one seed says nothing of the next (Bouthillier et al. 2021, "Accounting for variance in machine learning
benchmarks"), so the spread between seeds counts beside that between questions. With three seeds a bootstrap over seeds
is far too narrow, as they can be drawn in ten ways only. So the seeds' variance is worked out from their values, the
questions' by bootstrap, and the interval is that of Student's t with the degrees of freedom of Satterthwaite (1946).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, stdtr, stdtrit

from evaluation.metric import Metric, Rows, items
from evaluation.power import POWER, Z
from evaluation.significance import Estimate, Sample, resampled
from evaluation.significance import estimates as of_samples

FEW = 5
"""Seeds below which it is said how little they tell."""


@dataclass(frozen=True)
class Repeated:
    """The statistics of a system's answers, shape (n, seeds, k); with a baseline's, of the same questions."""

    metric: Metric
    rows: Rows
    baseline: Rows | None = None

    @property
    def seeds(self) -> int:
        """The most seeds of its two sides."""
        return max(int(rows.shape[1]) for rows in self.sides)

    @property
    def sides(self) -> list[Rows]:
        """The statistics of the system, and of the baseline where there is one."""
        return [self.rows] if self.baseline is None else [self.rows, self.baseline]


@dataclass(frozen=True)
class _Part:
    """A part of the variance of an estimate, and its degrees of freedom."""

    variance: float
    freedom: int


def estimates(samples: Sequence[Repeated], *, resamples: int, seed: int) -> list[Estimate]:
    """Return value or difference of every sample, in order; of one seed as `significance.estimates` has it.

    Of several seeds the value is the mean of theirs, and the interval is for trainings with other seeds and other
    questions alike. A side of one seed counts as if others would do the same.
    """
    single = [sample for sample in samples if sample.seeds == 1]
    plain = [Sample(one.metric, *(rows[:, 0] for rows in one.sides)) for one in single]
    made = iter(of_samples(plain, resamples=resamples, seed=seed))
    return [next(made) if sample.seeds == 1 else _over_seeds(sample, resamples, seed) for sample in samples]


def few_seeds(name: str, seeds: int) -> str:
    """Return words on how little so few seeds tell, or nothing where they are enough."""
    if seeds >= FEW:
        return ""
    wider = float(stdtrit(seeds - 1, ndtr(Z))) / Z
    return (
        f"little is known of what {name} would give with other seeds: as far as seeds decide, an interval from {seeds} "
        f"of them is {wider:.1f} times as wide as if their spread were known"
    )


def _over_seeds(sample: Repeated, resamples: int, seed: int) -> Estimate:
    each = [Sample(sample.metric, rows[:, at]) for rows in sample.sides for at in range(rows.shape[1])]
    totals = np.stack([one.rows.sum(axis=0) for one in each])
    values, n = sample.metric.corpus(totals), len(sample.rows)
    value = _contrast(values, sample)
    if np.isnan(value):
        return Estimate(None)
    if n < 2:
        return Estimate(float(value))
    boot = np.stack(resampled(each, resamples=resamples, seed=seed))
    boot = boot[:, ~np.isnan(boot).any(axis=0)]
    if boot.shape[1] < 2:
        return Estimate(float(value))
    parts = _parts(sample, values, boot)
    spread = sum(part.variance for part in parts) ** 0.5
    if not spread:
        # All answers differ by the same: as rare as coins that all fall alike.
        p = None if sample.baseline is None else 2.0 ** (1 - n) if value else 1.0
        return Estimate(float(value), float(value), float(value), p)
    freedom = spread**4 / sum(part.variance**2 / part.freedom for part in parts)
    reach = float(stdtrit(freedom, ndtr(Z))) * spread
    low, high = float(value) - reach, float(value) + reach
    if sample.baseline is None:
        return Estimate(float(value), *_on_scale(sample.metric, low, float(value), high))
    p = 2 * float(stdtr(freedom, -abs(value) / spread))
    seen = reach + float(stdtrit(freedom, POWER)) * spread
    return Estimate(float(value), low, high, p, _effect(sample), seen)


def _on_scale(metric: Metric, low: float, value: float, high: float) -> tuple[float, float]:
    """Return the ends of an interval, which is symmetric, without what lies off the scale of 0 to 100."""
    return (low, high) if metric.unit else (max(low, min(0.0, value)), min(high, max(100.0, value)))


def _contrast(values: Rows, sample: Repeated) -> Rows:
    """Return the mean over the system's seeds, less that over the baseline's; `values` has all seeds first."""
    own = sample.rows.shape[1]
    mean: Rows = values[:own].mean(axis=0)
    return mean if sample.baseline is None else mean - values[own:].mean(axis=0)


def _parts(sample: Repeated, values: Rows, boot: Rows) -> list[_Part]:
    """Return the variance that comes from each side's seeds, and from the questions.

    Values of seeds on the same questions differ also because each seed answers each question by luck; that share,
    which the bootstrap shows, is in both variances and is counted once.
    """
    n, start, luck = len(sample.rows), 0, 0.0
    parts = []
    for rows in sample.sides:
        seeds = rows.shape[1]
        if seeds > 1:
            some = boot[start : start + seeds]
            own_luck = float((some - some.mean(axis=0)).var(axis=1, ddof=1).sum()) / (seeds - 1)
            between = float(values[start : start + seeds].var(ddof=1))
            freedom = seeds - 1 if between > own_luck else (seeds - 1) * (n - 1)
            parts.append(_Part(max(between, own_luck) / seeds, freedom))
            luck += own_luck / seeds
        start += seeds
    asked = float(_contrast(boot, sample).var(ddof=1)) * n / (n - 1)
    return [*parts, _Part(max(asked - luck, 0.0), n - 1)]


def _effect(sample: Repeated) -> float | None:
    """Return Cohen's d of the paired differences of questions, each side's answers averaged over its seeds."""
    means = []
    for rows in sample.sides:
        each = [items(sample.metric, rows[:, at]) for at in range(rows.shape[1])]
        known = [values for values in each if values is not None]
        if len(known) < len(each):
            return None
        means.append(np.mean(known, axis=0))
    apart = means[0] - means[1]
    spread = float(apart.std(ddof=1))
    return float(apart.mean()) / spread if spread > 1e-12 else None
