"""MinHash sketches of texts (Broder 1997) over hashed terms, and the pairs of texts that are worth comparing.

Linear in the text, 64 numbers a text; an array of sketches has shape (texts, 64).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from doceo.text.hashed_terms import BLOCK, Hashes, hashes, mixed, runs

PERMUTATIONS, BANDS = 64, 16
"""Bands of four: texts of Jaccard similarity .7 share one with a chance of 99 %, those of .2 with one of 3 %."""
_AT_ONCE = 1 << 15


def sketches(texts: Sequence[str], size: int = 3) -> Hashes:
    """Return the sketches of texts by their runs of `size` terms; a shorter text counts as one run."""
    seeds = mixed(np.arange(1, 2 * PERMUTATIONS + 1, dtype=np.uint64))
    factors, shifts = seeds[:PERMUTATIONS] | np.uint64(1), seeds[PERMUTATIONS:]
    found = np.full((len(texts), PERMUTATIONS), np.iinfo(np.uint64).max, dtype=np.uint64)
    for row, text in enumerate(texts):
        for part in _runs(text, size):
            for at in range(0, len(part), _AT_ONCE):
                _lower(found[row], part[at : at + _AT_ONCE], factors, shifts)
    return found


def candidates(found: Hashes) -> Iterator[NDArray[np.int64]]:
    """Yield groups of rows, ascending, that agree in a band, of which no two rows are equal throughout."""
    _, firsts = np.unique(found, axis=0, return_index=True)
    firsts.sort()
    width = PERMUTATIONS // BANDS
    for band in range(BANDS):
        keys = runs(found[firsts, band * width : (band + 1) * width].ravel(), width)[::width]
        order = np.argsort(keys, kind="stable")
        edges = np.flatnonzero(np.diff(keys[order]) != 0) + 1
        yield from (firsts[group] for group in np.split(order, edges) if len(group) > 1)


def similarity(found: Hashes, row: int, others: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the estimated Jaccard similarity of one row with others."""
    return np.asarray((found[others] == found[row]).mean(axis=1), dtype=np.float64)


def _runs(text: str, size: int) -> Iterator[Hashes]:
    """Yield the runs of a text, a long one's in parts."""
    for at in range(0, max(len(text), 1), BLOCK):
        terms = hashes(text[at : at + BLOCK])
        yield runs(terms, min(size, max(len(terms), 1)))


def _lower(row: Hashes, part: Hashes, factors: Hashes, shifts: Hashes) -> None:
    """Lower a sketch to the least values of more runs, in place."""
    room = np.empty_like(part)
    for place in range(PERMUTATIONS):
        np.multiply(part, factors[place], out=room)
        room += shifts[place]
        row[place] = min(row[place], room.min())
