"""How well rankings hold what was looked for, with paired differences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

MEASURES = ("R@1", "R@10", "MRR@10", "nDCG@10")
RESAMPLES = 2000
_DEPTH = 10


def measures(found: Sequence[str], unit: Mapping[str, str], gold: Mapping[str, int]) -> tuple[float, ...]:
    """Return the MEASURES of one ranking of chunks, each unit counted where it stands first.

    R@k is 1 where something relevant is among the first k; nDCG takes grades as gains (Jarvelin and Kekalainen 2002).
    """
    units = list(dict.fromkeys(unit[key] for key in found))[:_DEPTH]
    gains = [gold.get(one, 0) for one in units]
    first = next((rank for rank, gain in enumerate(gains, 1) if gain), None)
    discounts = 1 / np.log2(np.arange(2, _DEPTH + 2))
    ideal = sorted(gold.values(), reverse=True)[:_DEPTH]
    ndcg = float(np.dot(gains, discounts[: len(gains)]) / np.dot(ideal, discounts[: len(ideal)]))
    return (float(first == 1), float(first is not None), 1 / first if first else 0.0, ndcg)


def means(rows: NDArray[np.float64]) -> dict[str, float]:
    """Return the means of rows of MEASURES by name."""
    return {name: round(float(value), 4) for name, value in zip(MEASURES, rows.mean(axis=0), strict=True)}


def differences(
    ours: NDArray[np.float64], theirs: NDArray[np.float64], clusters: Sequence[str]
) -> dict[str, list[float]]:
    """Return, by measure, mean difference and 95 % bootstrap interval; questions of a cluster are drawn together."""
    names, which = np.unique(list(clusters), return_inverse=True)
    sums = np.zeros((len(names), len(MEASURES)))
    np.add.at(sums, which, ours - theirs)
    counts = np.bincount(which)
    drawn = np.random.default_rng(0).integers(len(names), size=(RESAMPLES, len(names)))
    values = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)[:, None]
    low, high = np.percentile(values, [2.5, 97.5], axis=0)
    mean = (ours - theirs).mean(axis=0)
    return {name: [round(float(part), 4) for part in (mean[at], low[at], high[at])] for at, name in enumerate(MEASURES)}
