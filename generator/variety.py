"""How much a set of pairs covers: a monotone submodular function, and what one more pair would add to it.

After Lin and Bilmes (2011): what is covered already counts ever less, so that the greedy choice is provably near the
best one (Nemhauser, Wolsey and Fisher 1978).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np

from doceo.core.records import Pair
from doceo.text.terms import stemmed, terms
from doceo.text.words import STOP_WORDS

if TYPE_CHECKING:
    from numpy.typing import NDArray

_SCORE, _TERMS, _KIND, _OPENING, _VECTORS = 1.0, 1.0, 0.5, 0.5, 1.0
"""Weights of a pair's own score, of new terms, of rare kinds and openings, and of new ground in the vector space."""
_UNSCORED = 0.5
_EVEN = 0.05
"""Share of the set below which a kind or an opening counts as rare without limit."""
_CLIENTS = 512
_CELLS = 16_000_000


class Variety:
    """The worth of a growing set: the scores of its pairs, and the coverage of terms, kinds, openings and vectors.

    Terms are those of the questions; each set of pairs counts for a term with the square root of what it holds of it.
    Vectors count by facility location: how near every pair of the pool is to its nearest one in the set, measured on
    evenly spaced pairs.

    `scores` are those of the pairs, by place, 0 to 1.

    Args:
        pairs: The pool; they are named by their place in it.
        n: How many will be taken, about.
        vectors: Unit vectors by pair id, shape (dimensions,), where there are any.
    """

    def __init__(self, pairs: Sequence[Pair], n: int, vectors: Mapping[str, NDArray[np.float32]] | None = None) -> None:
        questions = [terms(pair.question) for pair in pairs]
        self.scores = [min(1.0, max(0.05, pair.scores.get("teacher", _UNSCORED))) for pair in pairs]
        self._terms = [{stemmed(term) for term in question if term not in STOP_WORDS} for question in questions]
        self._groups = [
            ((_KIND, f"kind {pair.kind}"), (_OPENING, f"opening {' '.join(question[:2])}"))
            for pair, question in zip(pairs, questions, strict=True)
        ]
        self._n = max(1, n)
        self._held: dict[str, float] = {}
        self._near = _nearness(pairs, vectors)
        self._nearest = None if self._near is None else np.zeros(self._near.shape[1], dtype=np.float32)

    def gain(self, place: int) -> float:
        """Return what the pair at a place would add; it never grows while pairs are taken."""
        score, found = self.scores[place], self._terms[place]
        gain = _SCORE * score
        mass, held = score / max(1, len(found)) ** 2, self._held
        gain += _TERMS * sum(sqrt(held.get(term, 0.0) + mass) - sqrt(held.get(term, 0.0)) for term in found)
        for weight, group in self._groups[place]:
            base = held.get(group, 0.0) + _EVEN * self._n
            gain += weight * sqrt(self._n) * (sqrt(base + score) - sqrt(base))
        if self._near is not None and self._nearest is not None:
            closer = np.maximum(self._near[place].astype(np.float32) - self._nearest, 0)
            gain += _VECTORS * self._n * float(closer.mean())
        return gain

    def take(self, place: int) -> None:
        """Take the pair at a place into the set."""
        score, found = self.scores[place], self._terms[place]
        for term in found:
            self._held[term] = self._held.get(term, 0.0) + score / len(found) ** 2
        for _, group in self._groups[place]:
            self._held[group] = self._held.get(group, 0.0) + score
        if self._near is not None and self._nearest is not None:
            np.maximum(self._nearest, self._near[place], out=self._nearest)


def _nearness(pairs: Sequence[Pair], vectors: Mapping[str, NDArray[np.float32]] | None) -> NDArray[np.float16] | None:
    """Return the cosines, at least 0, of pairs with evenly spaced ones; zeros for pairs without a vector."""
    held = [i for i, pair in enumerate(pairs) if vectors is not None and pair.id in vectors]
    if vectors is None or not held:
        return None
    clients = min(len(held), _CLIENTS, max(1, _CELLS // len(pairs)))
    chosen = [held[i * len(held) // clients] for i in range(clients)]
    columns = np.stack([vectors[pairs[i].id] for i in chosen]).T
    near = np.zeros((len(pairs), clients), dtype=np.float16)
    for start in range(0, len(held), 1024):
        rows = held[start : start + 1024]
        near[rows] = np.maximum(np.stack([vectors[pairs[i].id] for i in rows]) @ columns, 0)
    return near
