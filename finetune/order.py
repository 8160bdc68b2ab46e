"""The order in which rows are trained: rows of like length together, batches in random order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from torch.utils.data import Sampler

POOL = 16
"""Batches whose rows are sorted by length together; between pools the order is random."""


class LikeLengths(Sampler[int]):
    """Rows in batches of like length, so that little is padding.

    The order depends on the seed and the epoch alone. The trainer's own grouping draws from the global random state,
    which a continued run does not have at the start of the epoch it continues.

    Args:
        lengths: Tokens of each row.
        batch: Rows of one optimizer step.
        seed: Decides the order together with the epoch.
        multiple: Rows that several processes take at once. The last are filled up with the row behind all others, of
            which nothing is learned: processes need equally many rows, and would take some of them twice otherwise.
    """

    def __init__(self, lengths: Sequence[int], batch: int, seed: int, multiple: int = 1) -> None:
        self._lengths = np.asarray(lengths)
        self._fill = -len(lengths) % multiple
        self._batch = batch
        self._seed = seed
        self._epoch = 0

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of an epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        return len(self._lengths) + self._fill

    def __iter__(self) -> Iterator[int]:
        random = np.random.default_rng([self._seed, self._epoch])
        rows = random.permutation(len(self._lengths))
        pool = POOL * self._batch
        batches: list[np.ndarray[tuple[int], np.dtype[np.int64]]] = []
        for start in range(0, len(rows), pool):
            part = rows[start : start + pool]
            part = part[np.argsort(self._lengths[part], kind="stable")]
            batches += [part[at : at + self._batch] for at in range(0, len(part), self._batch)]
        # The last batch may be short: it stays last, so that all others keep their rows together.
        order = [*random.permutation(len(batches) - 1), len(batches) - 1]
        return iter([*(int(row) for place in order for row in batches[place]), *[len(rows)] * self._fill])
