"""Texts as one long stream of tokens, and the windows of it that are trained on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from doceo.pretrain.encoding import Encoder
from doceo.pretrain.recipe import Recipe

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Batch = tuple[int, NDArray[np.int64]]
"""A window length, and where the windows of a step start, shape (rows,)."""


class Stream(Protocol):
    """Tokens in a row, in memory or on disk."""

    def __len__(self) -> int:
        """Return the number of tokens."""
        ...

    def windows(self, starts: NDArray[np.int64], length: int) -> NDArray[np.int64]:
        """Return the windows that start there, shape (len(starts), length); a stream that is too short is repeated."""
        ...


class MemoryStream:
    """Tokens in memory."""

    def __init__(self, tokens: NDArray[np.integer]) -> None:
        self.tokens = tokens

    def __len__(self) -> int:
        """Return the number of tokens."""
        return len(self.tokens)

    def windows(self, starts: NDArray[np.int64], length: int) -> NDArray[np.int64]:
        """Return the windows that start there, shape (len(starts), length)."""
        places = (starts[:, None] + np.arange(length)) % len(self.tokens)
        found: NDArray[np.int64] = self.tokens[places].astype(np.int64)
        return found


def token_stream(texts: Iterable[str], tokenizer: PreTrainedTokenizerBase) -> NDArray[np.int32]:
    """Return the tokens of all texts, shape (tokens,); each text ends with the end-of-sequence token.

    A special token's name in a text is only text.
    """
    pieces = Encoder(tokenizer).encode([text for text in texts if text])
    return np.fromiter((token for ids in pieces for token in (*ids, tokenizer.eos_token_id)), dtype=np.int32)


def batches(size: int, recipe: Recipe) -> Iterator[Batch]:
    """Yield the windows of every step without end: the same ones for the same size, recipe and seed.

    So a training that goes on takes them from the step that it stopped at. Windows have one token more than their
    length, which is only predicted.

    Args:
        size: Tokens of the stream.
        recipe: Lengths in turn, tokens of a step, seed.
    """
    random = np.random.default_rng(recipe.seed)
    sources = {length: starts(size, length, random) for length in sorted(set(recipe.lengths))}
    while True:
        for length in recipe.lengths:
            rows = recipe.rows(length)
            yield length, np.fromiter((next(sources[length]) for _ in range(rows)), dtype=np.int64, count=rows)


def starts(size: int, length: int, random: np.random.Generator) -> Iterator[int]:
    """Yield where windows of `length` + 1 tokens start, without end.

    Every pass over the stream starts at another offset and visits its windows in another order. A stream that is
    shorter than a window counts as repeated until it fills one.
    """
    if size < length + 1:
        size *= -(-(length + 1) // size)
    while True:
        offset = int(random.integers(min(length, size - length)))
        yield from random.permutation(np.arange(offset, size - length, length)).tolist()
