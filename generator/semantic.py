"""Unit vectors that are nearly the same: all such pairs of a set, or new ones against a growing set. Exact.

A few dozen directions hold most of the length of a text's vector. By Cauchy and Schwarz the cosine of two vectors is at
most the product of their parts along those directions plus the product of the lengths of their rests. So one product
of short vectors, the leading parts with the length of the rest as one number more, rules nearly all pairs out, and
the few that remain are compared in full (Li et al. 2017, FEXIPRO). Every orthonormal basis gives the same answer; the
principal directions give it soonest.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Places = NDArray[np.intp]

_MARGIN = 1e-5
"""Rounding of the bound in single precision, on the safe side."""
_FEW = 1024
"""Up to so many vectors are compared in full: a basis would cost more than it spares."""
_SAMPLE = 1024
_WIDTHS = (16, 32, 48, 64, 96, 128, 192)
_VERIFY = 24_000
"""What comparing one pair in full costs, counted in numbers multiplied within the product of short vectors."""
_ROWS, _COLUMNS = 512, 2048
_AT_ONCE = 8192


@dataclass(frozen=True)
class Basis:
    """Leading directions of vectors, shape (dimensions, width); None compares in full."""

    directions: Vectors | None

    @staticmethod
    def fit(vectors: Vectors, threshold: float) -> Basis:
        """Return the basis that makes a search at a threshold cheapest, judged by evenly spaced vectors of the set."""
        n, dimensions = vectors.shape
        if n <= _FEW:
            return Basis(None)
        sample = vectors[np.linspace(0, n - 1, min(n, _SAMPLE)).astype(np.intp)]
        _, axes = np.linalg.eigh((sample.T @ sample).astype(np.float64))
        turned = sample @ axes[:, ::-1].astype(np.float32)
        costs: dict[int, float] = {dimensions: dimensions}
        for width in (width for width in _WIDTHS if width < dimensions):
            short = _short(turned[:, :width])
            passed = int(np.count_nonzero(short @ short.T >= threshold - _MARGIN)) - len(sample)
            costs[width] = width + _VERIFY * max(passed, 0) / len(sample) ** 2
        width = min(costs, key=lambda width: (costs[width], width))
        if width == dimensions:
            return Basis(None)
        return Basis(np.ascontiguousarray(axes[:, : -width - 1 : -1], dtype=np.float32))

    def shorten(self, vectors: Vectors) -> Vectors:
        """Return the short vectors, shape (n, width + 1), whose products bound the cosines from above."""
        return vectors if self.directions is None else _short(vectors @ self.directions)


def similar_pairs(vectors: Vectors, threshold: float) -> tuple[Places, Places, Vectors]:
    """Return all pairs of unit vectors whose cosine is at least the threshold.

    Memory beyond the input is that of the short vectors, about an eighth of it, of blocks, and of the answer.

    Args:
        vectors: Shape (n, dimensions), rows of length 1.
        threshold: Least cosine.

    Returns:
        First places, second places (always later), and cosines; in order of the places.
    """
    basis = Basis.fit(vectors, threshold)
    short = basis.shorten(vectors)
    found = [_none()]
    for start in range(0, len(vectors), _ROWS):
        for rows, columns in _bounded(short[start : start + _ROWS], short[start:], threshold):
            later = columns > rows
            for a, b, cosines in _verified(vectors[start:], vectors[start:], rows[later], columns[later], threshold):
                found.append((a + start, b + start, cosines))
    first, second, cosines = (np.concatenate(part) for part in zip(*found, strict=True))
    order = np.lexsort((second, first))
    return first[order], second[order], cosines[order]


class VectorIndex:
    """A growing set of unit vectors, searched for those nearly the same as given ones. Exact.

    One vector among 10,000 takes about a tenth of a millisecond; many asked at once take less each.

    Args:
        threshold: Least cosine that is looked for.
    """

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        self._basis = Basis(None)
        self._blocks: list[Vectors] = []
        self._short: list[Vectors] = []
        self._size = 0
        self._fitted_at = _FEW

    def __len__(self) -> int:
        return self._size

    def add(self, vectors: Vectors) -> None:
        """Take in vectors, shape (n, dimensions); they are numbered on from the last."""
        while len(vectors):
            room = -self._size % _COLUMNS
            if not room:
                self._blocks.append(np.zeros((_COLUMNS, vectors.shape[1]), dtype=np.float32))
                width = vectors.shape[1] if self._basis.directions is None else self._basis.directions.shape[1] + 1
                self._short.append(np.zeros((_COLUMNS, width), dtype=np.float32))
                room = _COLUMNS
            taken, at = vectors[:room], _COLUMNS - room
            self._blocks[-1][at : at + len(taken)] = taken
            self._short[-1][at : at + len(taken)] = self._basis.shorten(taken)
            self._size += len(taken)
            vectors = vectors[room:]
        if self._size > self._fitted_at:
            self._fit()

    def query(self, vectors: Vectors) -> list[list[tuple[int, float]]]:
        """Return for each of (n, dimensions) vectors the numbers of those nearly the same, in order, with cosines."""
        found: list[list[tuple[int, float]]] = [[] for _ in vectors]
        if not len(vectors) or not self._size:
            return found
        short = self._basis.shorten(vectors)
        for number, block in enumerate(self._blocks):
            offset = number * _COLUMNS
            size = min(_COLUMNS, self._size - offset)
            for rows, columns in _bounded(short, self._short[number][:size], self.threshold):
                for a, b, cosines in _verified(vectors, block, rows, columns, self.threshold):
                    for row, column, cosine in zip(a.tolist(), b.tolist(), cosines.tolist(), strict=True):
                        found[row].append((offset + column, cosine))
        return found

    def _fit(self) -> None:
        self._fitted_at *= 4
        full = self._blocks[: self._size // _COLUMNS] or [self._blocks[0][: self._size]]
        step = max(1, len(full) * len(full[0]) // (2 * _SAMPLE))
        self._basis = Basis.fit(np.concatenate([block[::step] for block in full]), self.threshold)
        self._short = [self._basis.shorten(block) for block in self._blocks]


def _none() -> tuple[Places, Places, Vectors]:
    return np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp), np.empty(0, dtype=np.float32)


def _short(leading: Vectors) -> Vectors:
    """Append the length of the rest of unit vectors to their leading parts."""
    rest = np.sqrt(np.maximum(0, 1 - np.einsum("ij,ij->i", leading, leading)))
    return np.ascontiguousarray(np.column_stack((leading, rest)), dtype=np.float32)


def _bounded(left: Vectors, right: Vectors, threshold: float) -> Iterator[tuple[Places, Places]]:
    """Yield, block by block, the places of pairs whose bound reaches the threshold."""
    for i in range(0, len(left), _ROWS):
        rows = left[i : i + _ROWS]
        for j in range(0, len(right), _COLUMNS):
            columns = right[j : j + _COLUMNS]
            places = np.flatnonzero(rows @ columns.T >= threshold - _MARGIN)
            if len(places):
                yield places // len(columns) + i, places % len(columns) + j


def _verified(
    left: Vectors, right: Vectors, rows: Places, columns: Places, threshold: float
) -> Iterator[tuple[Places, Places, Vectors]]:
    """Yield those pairs whose cosine itself reaches the threshold, with the cosines."""
    for start in range(0, len(rows), _AT_ONCE):
        a, b = rows[start : start + _AT_ONCE], columns[start : start + _AT_ONCE]
        cosines = np.einsum("ij,ij->i", left[a], right[b])
        near = cosines >= threshold
        if near.any():
            yield a[near], b[near], cosines[near]
