"""Vectors that are nearly the same: what is found is what comparing all with all finds."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from doceo.providers.embedders import open_embedder
from generator.semantic import Basis, VectorIndex, similar_pairs


def texts_like(n: int, dimensions: int = 96, seed: int = 0) -> NDArray[np.float32]:
    """Unit vectors with a spectrum like that of texts, a fifth of them near another one."""
    random = np.random.default_rng(seed)
    scale = 1 / np.sqrt(1 + np.arange(dimensions))
    found = random.standard_normal((n, dimensions)) * scale
    near = random.choice(n // 2, n // 5, replace=False)
    shift = random.standard_normal((len(near), dimensions)) * scale * random.uniform(0.01, 0.6, (len(near), 1))
    found[near] = found[near + n // 2] + shift
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def exact(vectors: NDArray[np.float32], threshold: float) -> set[tuple[int, int]]:
    rows, columns = np.nonzero(np.triu(vectors @ vectors.T, 1) >= threshold)
    return set(zip(rows.tolist(), columns.tolist(), strict=True))


def without_ties(vectors: NDArray[np.float32], threshold: float) -> float:
    """A threshold close by that no cosine comes near, so that rounding decides nothing."""
    cosines = np.sort((vectors @ vectors.T)[np.triu_indices(len(vectors), 1)])
    place = int(np.searchsorted(cosines, threshold))
    gaps = np.diff(cosines[place : place + 50])
    best = place + int(gaps.argmax())
    return float((cosines[best] + cosines[best + 1]) / 2)


@pytest.mark.parametrize("n", [0, 1, 2, 500, 3000])
@pytest.mark.parametrize("level", [0.7, 0.9])
def test_all_pairs_are_those_of_comparing_all(n: int, level: float) -> None:
    vectors = texts_like(n) if n > 4 else np.eye(n, 96, dtype=np.float32)
    threshold = without_ties(vectors, level) if n > 4 else level
    first, second, cosines = similar_pairs(vectors, threshold)
    assert set(zip(first.tolist(), second.tolist(), strict=True)) == exact(vectors, threshold)
    assert (cosines >= threshold).all()
    assert (first < second).all()
    assert n < 100 or len(first) > 10


def test_a_short_basis_is_taken_where_it_pays_and_only_there() -> None:
    vectors = texts_like(3000)
    directions = Basis.fit(vectors, 0.9).directions
    assert directions is not None and directions.shape[1] < 96
    flat = np.random.default_rng(1).standard_normal((3000, 96)).astype(np.float32)
    flat /= np.linalg.norm(flat, axis=1, keepdims=True)
    assert Basis.fit(flat, 0.05).directions is None


@pytest.mark.parametrize("step", [1, 7, 2500])
def test_a_growing_index_finds_the_same(step: int) -> None:
    vectors = texts_like(5500, dimensions=48)
    threshold = without_ties(vectors, 0.93)
    index, found = VectorIndex(threshold), set()
    for start in range(0, len(vectors), step):
        block = vectors[start : start + step]
        for row, matches in enumerate(index.query(block)):
            assert matches == sorted(matches)
            found |= {(number, start + row) for number, _ in matches}
        index.add(block)
    assert len(index) == len(vectors)
    wanted = {(a, b) for a, b in exact(vectors, threshold) if a // step < b // step}
    assert found == wanted and wanted


def test_real_questions(shared_data: Path) -> None:
    file = shared_data / "squad" / "squad-v2.0-dev.first24.json.gz"
    articles = json.loads(gzip.decompress(file.read_bytes()))["data"][:6]
    questions = [row["question"] for article in articles for p in article["paragraphs"] for row in p["qas"]][:1400]
    vectors = open_embedder().embed(questions)
    threshold = without_ties(vectors, 0.9)
    first, second, _ = similar_pairs(vectors, threshold)
    assert set(zip(first.tolist(), second.tolist(), strict=True)) == exact(vectors, threshold)
    assert len(first) > 20
