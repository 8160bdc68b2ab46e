"""The attention keys and values of a prompt's beginning, kept from one question to the next.

Where documents are pinned in front of every question, a model reads them once: of each further prompt only what
stands behind the part that it shares with the last one (Chan and others 2024, "Don't Do RAG", call this cache-augmented
generation). The tokens are the same with and without; in weights of 16 bits the rounding may not be, and where two
tokens are equally likely to the last bit the other one can come out.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

MOST_BYTES = 2**30
"""Memory that a kept cache may take; a larger one is let go of after its question."""
_FEWEST = 32
"""Tokens below which nothing is worth keeping."""


class _Kept(NamedTuple):
    adapter: Path | None
    ids: list[int]
    cache: Any


class KeptPrefix:
    """Keeps the cache of the last single prompt. Whoever uses it holds the model's lock.

    Models with sliding windows or recurrent states cannot go back to an earlier place; for them nothing is kept.

    Args:
        most_bytes: Memory that it may take.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._kept: _Kept | None = None
        self._reused = threading.local()

    @property
    def reused(self) -> int:
        """Tokens that the last prompt of this thread did not have to be read again for."""
        return getattr(self._reused, "tokens", 0)

    @contextmanager
    def lent(self, model: Any, adapter: Path | None, prompts: Sequence[list[int]]) -> Iterator[dict[str, Any]]:  # noqa: ANN401
        """Give what `generate` is called with beside the prompts, and keep what it leaves.

        Args:
            model: The model of transformers that generates.
            adapter: The adapter that is on: with another one, the same tokens have other keys and values.
            prompts: The tokens of each row; only a single row is kept.
        """
        self._reused.tokens = 0
        if len(prompts) != 1 or len(prompts[0]) < _FEWEST:
            yield {}
            return
        ids = list(prompts[0])
        kept, self._kept = self._kept, None  # what an error breaks off is not kept
        shared = _shared(kept.ids, ids) if kept is not None and kept.adapter == adapter else 0
        if kept is not None and shared >= _FEWEST:
            cache = kept.cache
            cache.crop(shared - cache.get_seq_length())
            self._reused.tokens = shared
        elif (cache := _new_cache(model)) is None:
            yield {}
            return
        yield {"past_key_values": cache}
        cache.crop(min(0, len(ids) - cache.get_seq_length()))
        if cache.get_seq_length() >= _FEWEST and _size(cache) <= self._most:
            self._kept = _Kept(adapter, ids[: cache.get_seq_length()], cache)


def _shared(known: Sequence[int], ids: Sequence[int]) -> int:
    """Return how many tokens two prompts begin with in common, one of the new prompt left to be read."""
    most = min(len(known), len(ids) - 1)
    return next((at for at in range(most) if known[at] != ids[at]), most)


def _new_cache(model: Any) -> Any | None:  # noqa: ANN401
    """Return an empty cache that can be cut back to any length, or None where the model's layers cannot."""
    from transformers import DynamicCache
    from transformers.cache_utils import DynamicLayer

    cache = DynamicCache(config=model.config)
    return cache if all(type(layer) is DynamicLayer for layer in cache.layers) and cache.layers else None


def _size(cache: Any) -> int:  # noqa: ANN401
    return sum(part.numel() * part.element_size() for layer in cache.layers for part in (layer.keys, layer.values))
