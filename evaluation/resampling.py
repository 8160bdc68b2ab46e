"""Resamples of questions: which were drawn how often, and which change sides.

They depend on the seed and the number of questions alone, so that metrics and systems on the same questions are
compared on the same resamples, and one pass serves them all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float64]
_CELLS = 4_000_000


def drawn(n: int, resamples: int, seed: int) -> Iterator[Rows]:
    """Yield blocks, shape (b, n): how often each of n questions was drawn in each of b resamples (Efron 1979)."""
    random = np.random.default_rng([seed, 0])
    for size in _blocks(n, resamples):
        picked = random.integers(n, size=(size, n)) + np.arange(size)[:, np.newaxis] * n
        yield np.bincount(picked.ravel(), minlength=size * n).reshape(size, n).astype(np.float64)


def sides(n: int, resamples: int, seed: int) -> Iterator[Rows]:
    """Yield blocks, shape (b, n): 1 where a question's two answers stay, 0 where they change sides, by a coin."""
    random = np.random.default_rng([seed, 1])
    for size in _blocks(n, resamples):
        yield random.integers(2, size=(size, n)).astype(np.float64)


def summed(weights: Iterable[Rows], columns: Rows) -> Iterator[Rows]:
    """Yield, for every block of weights, shape (b, n), the weighted sums of columns, shape (n, k), as (b, k).

    Columns of zeros, of which counts in bins have many, are not multiplied.
    """
    used = columns.any(axis=0)
    kept = columns[:, used]
    for some in weights:
        sums = np.zeros((len(some), columns.shape[1]))
        sums[:, used] = some @ kept
        yield sums


def _blocks(n: int, resamples: int) -> list[int]:
    """Return the sizes of the blocks in which resamples are drawn, so that memory stays bounded."""
    size = max(1, min(resamples, _CELLS // n))
    whole, rest = divmod(resamples, size)
    return [size] * whole + [rest] * bool(rest)
