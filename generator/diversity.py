"""How varied a set of pairs is: of vectors, words, openings, kinds, topics and difficulties."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from doceo.core.records import Pair
from doceo.text.terms import terms

if TYPE_CHECKING:
    from numpy.typing import NDArray

Name = TypeVar("Name", bound=str)
_PREFIX = 2
_PREFIXES = 10
_BLOCK = 4096


def diversity(pairs: Sequence[Pair], vectors: Mapping[str, NDArray[np.float32]] | None = None) -> dict[str, object]:
    """Return the measures of a set of pairs, rounded to four digits, ready for JSON.

    `vendi` is the effective number of different questions, and `vendi_share` that number by the number of pairs; both
    are None without vectors. `distinct_1` and `distinct_2` are shares of different terms and term pairs in the
    questions, `kind_entropy` is in bits, `prefixes` are the shares of the ten most frequent openings of two terms, and
    `kinds`, `topics` and `difficulties` are shares.

    Args:
        pairs: Any number of pairs.
        vectors: Unit vectors of the questions by pair id, shape (dimensions,); pairs without one are left out of
            `vendi`.
    """
    questions = [terms(pair.question) for pair in pairs]
    rows = [vectors[pair.id] for pair in pairs if pair.id in vectors] if vectors else []
    score = vendi(np.stack(rows)) if rows else None
    kinds = Counter(pair.kind for pair in pairs)
    return {
        "pairs": len(pairs),
        "vendi": None if score is None else round(score, 4),
        "vendi_share": None if score is None else round(score / len(rows), 4),
        "distinct_1": round(distinct(questions, 1), 4),
        "distinct_2": round(distinct(questions, 2), 4),
        "kind_entropy": round(entropy(kinds.values()), 4),
        "prefixes": _shares(Counter(" ".join(question[:_PREFIX]) for question in questions), _PREFIXES),
        "kinds": _shares(kinds),
        "topics": _shares(Counter(pair.topic for pair in pairs)),
        "difficulties": _shares(Counter(pair.difficulty for pair in pairs)),
    }


def vendi(vectors: NDArray[np.float32]) -> float:
    """Return the Vendi score of unit vectors: 1 where all are the same, n where all are orthogonal, 0 for none.

    `vectors` has the shape (n, dimensions). The score is exp of the entropy of the eigenvalues of K / n, K the cosines
    (Friedman and Dieng 2023). X X' and X' X share their eigenvalues but for zeros, so the smaller matrix, that of the
    dimensions, gives the same number in O(n dimensions^2).
    """
    if not len(vectors):
        return 0.0
    covariance = np.zeros((vectors.shape[1], vectors.shape[1]))
    for start in range(0, len(vectors), _BLOCK):
        block = vectors[start : start + _BLOCK].astype(np.float64)
        covariance += block.T @ block
    found = np.linalg.eigvalsh(covariance / len(vectors))
    positive = found[found > 1e-12]
    return float(np.exp(-np.sum(positive * np.log(positive))))


def distinct(texts: Iterable[Sequence[str]], n: int) -> float:
    """Return the share of different runs of n terms among all runs of texts (distinct-n, Li et al. 2016), 0 for none.

    Texts are given as terms, which are characters in scripts without blanks.
    """
    runs = Counter(run for text in texts for run in zip(*(text[i:] for i in range(n)), strict=False))
    return len(runs) / max(1, runs.total())


def entropy(counts: Iterable[int]) -> float:
    """Return the entropy of counts in bits: 0 where one has all, log2 of their number where all are even."""
    held = np.array([count for count in counts if count], dtype=np.float64)
    if not len(held):
        return 0.0
    shares = held / held.sum()
    return float(abs(np.sum(shares * np.log2(shares))))


def _shares(counts: Counter[Name], most: int | None = None) -> dict[Name, float]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]
    return {name: round(count / counts.total(), 4) for name, count in ordered}
