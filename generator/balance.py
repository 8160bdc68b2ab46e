"""Which of the good pairs are kept: spread over the corpus first, then over kinds, then by score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

from doceo.core.records import Pair


def select(pool: Sequence[Pair], n: int, order: dict[str, int], kept: Sequence[Pair] = ()) -> list[Pair]:
    """Return n pairs of the pool (or all, if fewer), in corpus order.

    Pairs are taken in layers: the best of every chunk, then the second best, and so on. A layer that does not fit
    whole is cut into as many equal stretches as pairs are missing, and the best pair of each is taken. What is
    best in a chunk is its teacher's score, lowered for kinds that the pool is already full of.

    Args:
        pool: Pairs that passed every check.
        n: How many to keep.
        order: Position of every chunk id in the corpus.
        kept: Pairs kept before; their chunks count as already served.
    """
    kinds = Counter(pair.kind for pair in pool)
    worth = {pair.id: pair.scores.get("teacher", 0.5) * (1 - 0.4 * kinds[pair.kind] / len(pool)) for pair in pool}
    taken = Counter(pair.chunk_ids[0] for pair in kept)
    chunks: dict[str, list[Pair]] = {}
    for pair in pool:
        chunks.setdefault(pair.chunk_ids[0], []).append(pair)
    layers: dict[int, list[Pair]] = {}
    for chunk_id, pairs in chunks.items():
        for depth, pair in enumerate(sorted(pairs, key=lambda p: (-worth[p.id], p.id)), taken[chunk_id]):
            layers.setdefault(depth, []).append(pair)
    chosen: list[Pair] = []
    for depth in sorted(layers):
        layer = sorted(layers[depth], key=lambda pair: order[pair.chunk_ids[0]])
        missing = n - len(chosen)
        if missing <= 0:
            break
        if len(layer) > missing:
            edges = [i * len(layer) // missing for i in range(missing + 1)]
            layer = [max(layer[a:b], key=lambda p: (worth[p.id], p.id)) for a, b in pairwise(edges)]
        chosen += layer
    return sorted(
        chosen,
        key=lambda pair: (order[pair.chunk_ids[0]], pair.evidence[0].span.start if pair.evidence else 0, pair.id),
    )
