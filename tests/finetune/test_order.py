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


def test_the_last_rows_are_filled_up_where_several_processes_share_them() -> None:
    lengths = [5, 3, 9, 4, 7, 6, 8]
    alone, shared = LikeLengths(lengths, 4, 1), LikeLengths(lengths, 4, 1, multiple=4)
    assert list(shared) == [*alone, 7]
    assert len(shared) == 8
    assert list(LikeLengths(lengths[:4], 4, 1, multiple=4)) == list(LikeLengths(lengths[:4], 4, 1))
