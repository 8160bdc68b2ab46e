"""How well scores tell what can be answered from what cannot: AUROC, risk and coverage, and thresholds.

Risk is the share of wrongly answered questions among the answered, coverage the share of answered among all (El-Yaniv
and Wiener 2010, "On the Foundations of Noise-free Selective Classification").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Labels = NDArray[np.bool_]
RESAMPLES = 1000
_DRAWN = 2.0
"""How strongly a fit is drawn to changing nothing, in questions."""
_LEAST_SLOPE = 0.1
"""A slope of 0 would forget the scores, a negative one turn them round."""


@dataclass(frozen=True)
class Curve:
    """Risk and coverage at each threshold, from the highest down: what scores at least that much is answered."""

    thresholds: Array
    coverage: Array
    risk: Array


def auroc(scores: Array, labels: Labels) -> float:
    """Return the chance that a question that can be answered scores above one that cannot; ties count half.

    NaN where all are of one kind.
    """
    yes, no = scores[labels], scores[~labels]
    if not len(yes) or not len(no):
        return float("nan")
    ordered = np.sort(no)
    below = np.searchsorted(ordered, yes, "left")
    up_to = np.searchsorted(ordered, yes, "right")
    return float((below + up_to).sum() / (2 * len(yes) * len(no)))


def curve(scores: Array, labels: Labels) -> Curve:
    """Return the risk-coverage curve of scores, one point for every distinct score."""
    order = np.argsort(-scores, kind="stable")
    ranked, right = scores[order], np.cumsum(labels[order])
    last = np.append(ranked[1:] != ranked[:-1], True)
    answered = np.arange(1, len(ranked) + 1)[last]
    return Curve(ranked[last], answered / len(ranked), 1 - right[last] / answered)


def at_risk(found: Curve, most: float) -> float | None:
    """Return the threshold that answers most questions at no more than a risk, or None where every one is above it."""
    good = np.flatnonzero(found.risk <= most + 1e-12)
    return _between(found, int(good[-1])) if len(good) else None


def at_coverage(found: Curve, least: float) -> float:
    """Return the highest threshold that answers a share of all questions, as far as ties allow."""
    return _between(found, int(np.flatnonzero(found.coverage >= min(least, 1.0) - 1e-12)[0]))


def balanced(scores: Array, labels: Labels) -> float:
    """Return the threshold at which most answerable questions are answered and most others refused (Youden 1950)."""
    found = curve(scores, labels)
    answered = found.coverage * len(scores)
    right = answered * (1 - found.risk)
    gains = right / max(labels.sum(), 1) - (answered - right) / max((~labels).sum(), 1)
    return _between(found, int(gains.round(12).argmax()))


def at_recall(scores: Array, labels: Labels, least: float) -> float:
    """Return the highest threshold at which a share of the answerable questions is answered."""
    found = curve(scores, labels)
    recall = found.coverage * (1 - found.risk) * len(scores) / max(labels.sum(), 1)
    return _between(found, int(np.flatnonzero(recall >= least - 1e-12)[0]))


def risk_at(found: Curve, coverage: float) -> float:
    """Return the risk where a share of all questions is answered."""
    return float(found.risk[np.flatnonzero(found.coverage >= coverage - 1e-12)[0]])


def platt(odds: Array, labels: Labels) -> tuple[float, float]:
    """Return slope and offset by which logarithmic odds become true: a logistic regression, drawn to (1, 0)."""
    rows = np.stack([odds, np.ones_like(odds)], axis=1)
    start = weights = np.array([1.0, 0.0])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-np.clip(rows @ weights, -60, 60)))
        gradient = rows.T @ (chance - labels) + _DRAWN * (weights - start)
        curvature = (rows * (chance * (1 - chance))[:, None]).T @ rows + _DRAWN * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        weights = weights - np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-9:
            break
    return max(float(weights[0]), _LEAST_SLOPE), float(weights[1])


def resampled(count: int, seed: int, resamples: int = RESAMPLES) -> NDArray[np.int64]:
    """Return the questions of each bootstrap resample (Efron 1979), shape (resamples, count)."""
    return np.random.default_rng(seed).integers(count, size=(resamples, count))


def interval(values: list[float]) -> tuple[float, float]:
    """Return the 95 % percentile interval of a bootstrap; undefined resamples are left out."""
    defined = [value for value in values if value == value]
    low, high = np.percentile(defined, [2.5, 97.5]) if defined else (float("nan"), float("nan"))
    return float(low), float(high)


def _between(found: Curve, at: int) -> float:
    """Return a threshold between a score and the next lower one, so that it does not hang on one question."""
    here = float(found.thresholds[at])
    return (here + float(found.thresholds[at + 1])) / 2 if at + 1 < len(found.thresholds) else here
