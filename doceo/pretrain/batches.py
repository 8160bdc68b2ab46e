"""The windows of a stream of tokens that each training step takes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from doceo.pretrain.recipe import Recipe

Batch = tuple[int, NDArray[np.int64]]
"""A window length, and where the windows of a step start, shape (rows,)."""


def batches(size: int, recipe: Recipe) -> Iterator[Batch]:
    """Yield the windows of every step without end: the same ones for the same size, recipe and seed.

    So a training that goes on takes them from the step that it stopped at. Windows have one token more than their
    length, which is only predicted.

    Args:
        size: Tokens of the stream.
        recipe: Lengths in turn, tokens of a step, seed.
    """
    random = np.random.default_rng(recipe.seed)
    sources = {length: starts(size, length, random) for length in sorted(set(recipe.lengths))}
    while True:
        for length in recipe.lengths:
            rows = recipe.rows(length)
            yield length, np.fromiter((next(sources[length]) for _ in range(rows)), dtype=np.int64, count=rows)


def starts(size: int, length: int, random: np.random.Generator) -> Iterator[int]:
    """Yield where windows of `length` + 1 tokens start, without end.

    Every pass over the stream starts at another offset and visits its windows in another order. A stream that is
    shorter than a window counts as repeated until it fills one.
    """
    if size < length + 1:
        size *= -(-(length + 1) // size)
    while True:
        offset = int(random.integers(min(length, size - length)))
        yield from random.permutation(np.arange(offset, size - length, length)).tolist()
