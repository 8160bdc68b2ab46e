"""Did anything get worse? Paired changes against a baseline's answers to the same questions, all judged together.

A check fails only where two things hold:
- the interval of its change lies beyond the loss that is allowed. The intervals of all checks hold together, 95 times
  in a hundred: they are as wide as the largest of so many correlated normal variables asks for (Hothorn, Bretz and
  Westfall 2008, "Simultaneous inference in general parametric models"), with spreads and correlations from one joint
  bootstrap of the questions, and Student's t for few of them;
- chance does not explain it: where the two answers to every question change sides by a coin, some check of the gate
  looks as bad as this one in at most 5 of 100 cases (Westfall and Young 1993, "Resampling-based multiple testing").
  Without any true change this alone keeps false alarms of the whole gate at 5 %, for any number of questions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from doceo.core.records import Record, SetName
from evaluation.metric import Metric, Rows
from evaluation.power import LEVEL, detectable, reach
from evaluation.significance import Sample, change, differing, resampled, swapped, value_of

ALARM = 1 - LEVEL / 100
"""Most false alarms of a whole gate."""
CHANCE = "too few answers differ to tell it from chance"
_DRAWS = 10_000
Outcome = Literal["held", "worse", "undefined"]


@dataclass(frozen=True)
class Measured:
    """One system's statistics under one metric, now and in the baseline, of the same questions; shapes (n, k).

    `known` says of which questions both answers could be measured, shape (n,); the statistics of others are zero. Of
    one set all have the same questions in the same order. `margin` is the loss that is allowed.
    """

    system: str
    set: SetName
    metric: Metric
    margin: float
    now: Rows
    before: Rows
    known: NDArray[np.bool_]


class Check(Record):
    """What became of one system, set and metric.

    `change` is `now` less `before`, with an interval that holds together with those of all checks. `margin` is the
    loss that is allowed, in the metric's own unit; `p` how often chance makes some check look as bad as this one;
    `detectable` the smallest true loss that would be found four times in five, None where none would. `worse` is what
    fails; `undefined` is what could not be measured, which fails nothing.
    """

    system: str
    set: SetName
    metric: str
    label: str
    unit: str
    better: Literal["higher", "lower"]
    n: int
    before: float | None
    now: float | None
    change: float | None
    low: float | None
    high: float | None
    margin: float
    p: float | None
    detectable: float | None
    outcome: Outcome
    note: str = ""


@dataclass(frozen=True)
class _Joint:
    """Changes of checks with their joint resamples, side by side: shapes (j,) and (resamples, j)."""

    changes: Rows
    boot: Rows
    null: Rows


def checks(measured: Sequence[Measured], *, resamples: int, seed: int) -> list[Check]:
    """Return what became of every measured system, set and metric, in order.

    Raises ValueError for a metric of which neither of two values is the better one.
    """
    for one in measured:
        if not one.metric.better:
            raise ValueError(f"neither of two values of {one.metric.name} is the better one")
    samples = {at: Sample(one.metric, one.now, one.before) for at, one in enumerate(measured) if one.known.sum() > 1}
    places = [at for at, sample in samples.items() if value_of(sample) is not None]
    found = {at: _undefined(one) for at, one in enumerate(measured)}
    if places:
        joint = _joint([(measured[at].set, samples[at]) for at in places], resamples, seed)
        found |= dict(zip(places, _judged([measured[at] for at in places], joint, seed), strict=True))
    return [found[at] for at in range(len(measured))]


def _joint(samples: Sequence[tuple[SetName, Sample]], resamples: int, seed: int) -> _Joint:
    """Return changes, bootstrap values and values after swaps; questions of different sets are drawn independently."""
    boot: dict[int, Rows] = {}
    null: dict[int, Rows] = {}
    for set_name in dict.fromkeys(name for name, _ in samples):
        places = [at for at, (name, _) in enumerate(samples) if name == set_name]
        some = [samples[at][1] for at in places]
        own = int(np.random.SeedSequence([seed, *set_name.encode()]).generate_state(1)[0])
        values = resampled(some, resamples=resamples, seed=own)
        # Of equal answers only the last digits could differ.
        drawn = [one if differing(sample) else np.zeros(resamples) for one, sample in zip(values, some, strict=True)]
        boot |= dict(zip(places, drawn, strict=True))
        null |= dict(zip(places, swapped(some, resamples=resamples, seed=own), strict=True))
    changes = np.array([value_of(sample) for _, sample in samples], dtype=np.float64)
    return _Joint(changes, _side_by_side(boot, changes), _side_by_side(null, np.zeros(len(changes))))


def _side_by_side(columns: dict[int, Rows], middle: Rows) -> Rows:
    """Return columns in order; where a resample is undefined it says nothing and counts as the middle."""
    table = np.stack([columns[at] for at in range(len(columns))], axis=1)
    return np.where(np.isnan(table), middle, table)


def _judged(measured: Sequence[Measured], joint: _Joint, seed: int) -> Iterable[Check]:
    worse_is = np.array([1.0 if one.metric.better == "lower" else -1.0 for one in measured])
    spreads = joint.boot.std(axis=0, ddof=1)
    z = _simultaneous(joint.boot, spreads, seed)
    p_values = _p_values(worse_is * joint.changes, worse_is * joint.null)
    for at, one in enumerate(measured):
        yield _check(one, float(joint.changes[at]), float(spreads[at]), z, float(p_values[at]))


def _simultaneous(boot: Rows, spreads: Rows, seed: int) -> float:
    """Return within how many standard deviations all changes stay together, 95 times in a hundred."""
    moving = spreads > 0
    if not moving.any():
        return float(ndtri(1 - ALARM / 2))
    correlations = np.atleast_2d(np.corrcoef(boot[:, moving], rowvar=False))
    random = np.random.default_rng([seed, 2])
    draws = random.multivariate_normal(np.zeros(len(correlations)), correlations, _DRAWS, method="eigh")
    largest = np.abs(draws).max(axis=1)
    return max(float(np.quantile(largest, 1 - ALARM)), float(ndtri(1 - ALARM / 2)))


def _p_values(losses: Rows, null: Rows) -> Rows:
    """Return how often some loss after swaps, in units of its spread, is as large as each."""
    spreads = np.sqrt((null**2).mean(axis=0))
    scale = np.where(spreads > 0, spreads, 1.0)
    largest = (null / scale).max(axis=1)
    as_bad = (largest[:, np.newaxis] >= losses / scale - 1e-9).sum(axis=0)
    p_values: Rows = (as_bad + 1) / (len(null) + 1)
    return p_values


def _check(one: Measured, changed: float, spread: float, z: float, p: float) -> Check:
    n = int(one.known.sum())
    half = reach(z, n) * spread
    sample = Sample(one.metric, one.now, one.before)
    # What the swaps ask for is to one side, and 5 of 100 over all checks.
    rare = 2 * float(ndtr(-z))
    seen = detectable(spread, n, differing(sample), change(_known(one)), z=z, rare=rare)
    least_loss = (changed if one.metric.better == "lower" else -changed) - half
    beyond = least_loss > one.margin
    before, now = (value_of(Sample(one.metric, rows)) for rows in (one.before, one.now))
    return _undefined(one).model_copy(
        update={
            "before": _rounded(before),
            "now": _rounded(now),
            "change": _rounded(changed),
            "low": _rounded(changed - half),
            "high": _rounded(changed + half),
            "p": float(f"{p:.4g}"),
            "detectable": _possible(None if seen is None else seen + one.margin, one, before),
            "outcome": "worse" if beyond and p <= ALARM else "held",
            "note": CHANCE if beyond and p > ALARM else _note(one),
        }
    )


def _possible(loss: float | None, one: Measured, before: float | None) -> float | None:
    """Return a loss that there can be: of what is better high, no more can be lost than there is."""
    there = before if one.metric.better == "higher" else None
    return None if loss is None or (there is not None and loss > there) else _rounded(loss)


def _known(one: Measured) -> Sample:
    return Sample(one.metric, one.now[one.known], one.before[one.known])


def _undefined(one: Measured) -> Check:
    metric = one.metric
    assert metric.better
    return Check(
        system=one.system,
        set=one.set,
        metric=metric.name,
        label=metric.label,
        unit=metric.unit,
        better=metric.better,
        n=int(one.known.sum()),
        before=None,
        now=None,
        change=None,
        low=None,
        high=None,
        margin=one.margin,
        p=None,
        detectable=None,
        outcome="undefined",
        note=_why_undefined(int(one.known.sum())),
    )


def _why_undefined(known: int) -> str:
    if known > 1:
        return "undefined for these answers"
    return "one question: no interval" if known else "no question could be measured in both runs"


def _note(one: Measured) -> str:
    known, n = int(one.known.sum()), len(one.known)
    return "" if known == n else f"measured on {known} of {n} questions"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 6) + 0.0
