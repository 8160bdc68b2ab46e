"""Fits of linear scores: a softmax over the candidates of a row, and a logistic regression."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

Array = NDArray[np.float64]
Features = Mapping[str, float]


@dataclass(frozen=True)
class Row:
    """The candidates of one question by named features, and how good each is, 0 to 1."""

    candidates: Sequence[Features]
    gains: Array


def names_of(rows: Sequence[Row], least: int = 1) -> list[str]:
    """Return the features that at least so many candidates have, in order."""
    counts: Counter[str] = Counter()
    for row in rows:
        for features in row.candidates:
            counts.update(features.keys())
    return sorted(name for name, count in counts.items() if count >= least)


def softmax_fit(rows: Sequence[Row], names: Sequence[str], prior: float, start: Features | None = None) -> Features:
    """Return weights that put most softmax mass of every row where its gains are, drawn to the start by `prior`.

    Rows without any gain are left out. Without a start, weights are drawn to 0.
    """
    rows = [row for row in rows if len(row.gains) and row.gains.max() > 0]
    matrix = _matrix([features for row in rows for features in row.candidates], names)
    turned = matrix.T.tocsr()
    lengths = np.array([len(row.gains) for row in rows])
    begins = np.concatenate([[0], np.cumsum(lengths)[:-1]])
    gains = np.concatenate([row.gains / row.gains.max() for row in rows])
    origin = np.array([(start or {}).get(name, 0.0) for name in names])

    def loss(weights: Array) -> tuple[float, Array]:
        scores = matrix @ weights
        shares = np.exp(scores - np.repeat(np.maximum.reduceat(scores, begins), lengths))
        shares /= np.repeat(np.add.reduceat(shares, begins), lengths)
        mass = np.add.reduceat(shares * gains, begins)
        gradient = turned @ (shares - shares * gains / np.repeat(mass, lengths))
        off = weights - origin
        return -np.log(mass).mean() + prior * float(off @ off), gradient / len(rows) + 2 * prior * off

    found = minimize(loss, origin, jac=True, method="L-BFGS-B", options={"maxiter": 200}).x
    return dict(zip(names, found.tolist(), strict=True))


def scores(candidates: Sequence[Features], weights: Features) -> Array:
    """Return the linear score of each candidate."""
    return np.array([sum(weights.get(name, 0.0) * value for name, value in one.items()) for one in candidates])


def logistic_fit(features: Array, labels: Array, weight: Array | None = None, prior: float = 1e-3) -> Array:
    """Return the weights of a logistic regression, the bias last."""
    weight = np.ones(len(labels)) if weight is None else weight
    rows = np.hstack([features, np.ones((len(features), 1))])

    def loss(weights: Array) -> tuple[float, Array]:
        scores = rows @ weights
        chance = 1 / (1 + np.exp(-scores))
        error = -(weight * (labels * np.log(chance + 1e-12) + (1 - labels) * np.log(1 - chance + 1e-12))).sum()
        total = weight.sum()
        return error / total + prior * float(weights @ weights), rows.T @ (
            weight * (chance - labels)
        ) / total + 2 * prior * weights

    return np.asarray(minimize(loss, np.zeros(rows.shape[1]), jac=True, method="L-BFGS-B").x)


def auroc(positive: Array, negative: Array) -> float:
    """Return the chance that a positive scores above a negative."""
    return float(np.mean([(negative < score).mean() + 0.5 * (negative == score).mean() for score in positive]))


def chances(features: Array, fitted: Array) -> Array:
    """Return the chance of each row by a logistic regression, its bias last."""
    return np.asarray(1 / (1 + np.exp(-(features @ fitted[:-1] + fitted[-1]))))


def _matrix(candidates: Sequence[Features], names: Sequence[str]) -> csr_matrix:
    place = {name: at for at, name in enumerate(names)}
    columns, values, ends = [], [], [0]
    for features in candidates:
        known = [(place[name], value) for name, value in features.items() if name in place and value]
        columns += [column for column, _ in known]
        values += [value for _, value in known]
        ends.append(len(columns))
    return csr_matrix((values, columns, ends), shape=(len(candidates), len(names)), dtype=np.float64)
