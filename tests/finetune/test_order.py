"""Every row once an epoch, in batches of like length, the same for the same seed and epoch."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from finetune.order import LikeLengths


@given(st.lists(st.integers(1, 500), min_size=1, max_size=200), st.integers(1, 9), st.integers(0, 5))
def test_every_row_once(lengths: list[int], batch: int, epoch: int) -> None:
    order = LikeLengths(lengths, batch, seed=1)
    order.set_epoch(epoch)
    assert sorted(order) == list(range(len(lengths)))
    assert list(order) == list(order)


def test_little_is_padding_and_epochs_differ() -> None:
    lengths = np.random.default_rng(0).integers(20, 800, size=256)
    order = LikeLengths(list(lengths), 8, seed=3)
    batches = lengths[list(order)].reshape(-1, 8)
    assert batches.max(axis=1).sum() * 8 < 1.2 * lengths.sum()
    first = list(order)
    order.set_epoch(1)
    assert list(order) != first
    assert np.any(np.diff(batches.mean(axis=1)) < 0) and np.any(np.diff(batches.mean(axis=1)) > 0)
