"""Near-duplicate texts, by MinHash over word shingles (Broder 1997)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from doceo.text.hashed_terms import Hashes
from doceo.text.sketches import candidates, similarity, sketches

Sketch = Callable[[Sequence[str]], Hashes]
"""What `sketches` is, or what does the same elsewhere."""


def near_duplicate_groups(texts: Sequence[str], threshold: float = 0.7, sketch: Sketch = sketches) -> list[list[int]]:
    """Return the positions of texts in groups: two whose estimated Jaccard similarity passes the threshold share one.

    Groups are in order of their first text and hold every position exactly once. Linear in the text.
    """
    found = sketch(texts)
    parent = list(range(len(texts)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    equal: dict[bytes, int] = {}
    for i, row in enumerate(found):
        parent[i] = equal.setdefault(row.tobytes(), i)
    for group in candidates(found):
        for place, i in enumerate(group[:-1]):
            others = np.array([j for j in group[place + 1 :] if root(j) != root(i)], dtype=np.int64)
            for j in others[similarity(found, i, others) >= threshold] if len(others) else ():
                low, high = sorted((root(i), root(j)))
                parent[high] = low
    groups: dict[int, list[int]] = {}
    for i in range(len(texts)):
        groups.setdefault(root(i), []).append(i)
    return sorted(groups.values())
