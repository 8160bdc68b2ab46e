"""Near-duplicates in a stream, in memory of a fixed size.

MinHash sketches (Broder 1997) over runs of three terms, with bands that point to the latest text of equal band
(Indyk and Motwani 1998). A pair found so is compared by its sketches, of which one byte a value is kept (b-bit minwise
hashing: Li and König 2010).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from doceo.text.hashed_terms import Hashes, mixed, runs
from doceo.text.repeats import runs_by_text
from doceo.text.sketches import BANDS, PERMUTATIONS

_RUN = 3
_CHANCE = 1 / 256


class RecentTexts:
    """The last texts that were no near-duplicates, to tell the next ones.

    Args:
        threshold: Estimated Jaccard similarity from which a text is a near-duplicate; the estimate's standard
            deviation is .05 at .8.
        window: How many texts are remembered, at about 200 bytes each, taken at once.
    """

    def __init__(self, threshold: float, window: int) -> None:
        self._least = (threshold + _CHANCE * (1 - threshold)) * PERMUTATIONS
        self._sketches = np.zeros((window, PERMUTATIONS), dtype=np.uint8)
        self._slots = 1 << (2 * window - 1).bit_length()
        self._tables = np.full((BANDS, self._slots), -1, dtype=np.int32)
        self._bands = np.arange(BANDS)
        self._added = 0

    def add(self, texts: Sequence[str]) -> list[bool]:
        """Add texts in order and return which are near-duplicates of earlier ones; those are not remembered.

        A text of fewer than three terms never is. Many texts at once take a tenth of the time that they take alone.
        """
        owners, minima = _minima(texts)
        found = [False] * len(texts)
        if not len(owners):
            return found
        width = PERMUTATIONS // BANDS
        keys = runs(minima.ravel(), width)[::width].reshape(len(owners), BANDS)
        places = (keys % np.uint64(self._slots)).astype(np.int64)
        sketches = mixed(minima).astype(np.uint8)
        for row, owner in enumerate(owners.tolist()):
            found[owner] = self._is_near(places[row], sketches[row])
        return found

    def _is_near(self, places: NDArray[np.int64], sketch: NDArray[np.uint8]) -> bool:
        pointed = self._tables[self._bands, places]
        pointed = pointed[pointed >= 0]
        if len(pointed) and int((self._sketches[pointed] == sketch).sum(axis=1).max()) >= self._least:
            return True
        at = self._added % len(self._sketches)
        self._added += 1
        self._sketches[at] = sketch
        self._tables[self._bands, places] = at
        return False


def _minima(texts: Sequence[str]) -> tuple[NDArray[np.int64], Hashes]:
    """Return the numbers of the texts that have runs, and the least value of these under each permutation.

    Shapes (texts with runs,) and (texts with runs, permutations).
    """
    parts = list(runs_by_text(texts, _RUN))
    if not parts or not sum(len(owners) for _, owners in parts):
        return np.empty(0, dtype=np.int64), np.empty((0, PERMUTATIONS), dtype=np.uint64)
    every = np.concatenate([found for found, _ in parts])
    owners, starts = np.unique(np.concatenate([owners for _, owners in parts]), return_index=True)
    seeds = mixed(np.arange(1, 2 * PERMUTATIONS + 1, dtype=np.uint64))
    minima = np.empty((len(owners), PERMUTATIONS), dtype=np.uint64)
    room = np.empty_like(every)
    for place in range(PERMUTATIONS):
        np.multiply(every, seeds[place] | np.uint64(1), out=room)
        room += seeds[PERMUTATIONS + place]
        minima[:, place] = np.minimum.reduceat(room, starts)
    return owners, minima
