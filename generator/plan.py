"""How many pairs to ask of which chunk, so that N spreads over the whole corpus."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from doceo.core.records import Chunk

LEAST_TOKENS = 24
"""A chunk shorter than this holds too little to ask about."""

_WORD = re.compile(r"[^\W\d_]{3,}")


class Order(NamedTuple):
    """Ask the teacher for `n` pairs from a chunk."""

    chunk: Chunk
    n: int


def informative(chunk: Chunk) -> bool:
    """True where a chunk holds enough running words to ask about: not an index, a menu or a block of numbers."""
    words = _WORD.findall(chunk.text)
    letters = sum(map(len, words))
    return chunk.tokens >= LEAST_TOKENS and letters > 0.5 * len(chunk.text.replace(" ", "")) and len(set(words)) >= 12


def orders(
    chunks: Sequence[Chunk], n: int, per_request: int, tired: Collection[str], asked: Mapping[str, int]
) -> list[Order]:
    """Return orders for n pairs in corpus order.

    Every informative chunk is asked once when n allows; with fewer pairs than chunks they are evenly spaced; more
    pairs go to longer chunks, at most `per_request` a time.

    Args:
        chunks: The corpus, in order.
        n: Pairs still wanted.
        per_request: Most pairs that one request asks for.
        tired: Ids of chunks that gave nothing new when last asked.
        asked: Pairs already asked of each chunk: the least asked come first.
    """
    ready = [chunk for chunk in chunks if informative(chunk) and chunk.id not in tired]
    if not ready or n <= 0:
        return []
    least = min(asked.get(chunk.id, 0) for chunk in ready)
    fresh = [chunk for chunk in ready if asked.get(chunk.id, 0) == least]
    if n <= len(fresh):
        return [Order(chunk, 1) for chunk in evenly(fresh, n)]
    size = sum(chunk.tokens for chunk in ready)
    shares = {chunk.id: max(1, min(per_request, round(n * chunk.tokens / size))) for chunk in ready}
    return [Order(chunk, shares[chunk.id]) for chunk in ready]


def evenly(items: Sequence[Chunk], n: int) -> list[Chunk]:
    """Return n items evenly spaced over a sequence."""
    return [items[(2 * i + 1) * len(items) // (2 * n)] for i in range(n)]
