"""Quantiles of amounts of time from counts in bins on a log scale, which add up where the times themselves do not."""

from __future__ import annotations

import math

import numpy as np

from evaluation.metric import Rows

LOW, HIGH, RATIO = 1e-3, 3600.0, 1.04
"""Seconds from which and up to which they are told apart, and the width of a bin."""
BINS = math.ceil(math.log(HIGH / LOW, RATIO))
MIDDLES = LOW * RATIO ** (np.arange(BINS) + 0.5)
"""What stands for the times of a bin, at most 2 % away from each."""
RECIPE = "bins:log1.04|error:2%|range:1ms-1h|unit:s|v:1"


def counted(seconds: float) -> Rows:
    """Return one time as counts, shape (BINS,)."""
    row = np.zeros(BINS)
    row[min(BINS - 1, max(0, math.floor(math.log(max(seconds, LOW) / LOW, RATIO))))] = 1.0
    return row


def quantile(sums: Rows, share: float) -> Rows:
    """Return the least time below which that share of the times lies, shape (r,), of sums of shape (r, BINS).

    NaN where nothing was counted.
    """
    below = sums.cumsum(axis=1)
    total = below[:, -1:]
    found: Rows = MIDDLES[(below >= share * total - 1e-9).argmax(axis=1)]
    return np.where(total[:, 0] > 0, found, np.nan)
