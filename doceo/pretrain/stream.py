"""Texts as one long stream of tokens, and the windows of it that are trained on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast


def token_stream(texts: Iterable[str], tokenizer: PreTrainedTokenizerFast) -> NDArray[np.int32]:
    """Return the tokens of all texts, shape (tokens,); each text ends with the end-of-sequence token."""
    pieces = [
        [*tokenizer.encode(text, add_special_tokens=False, verbose=False), tokenizer.eos_token_id]
        for text in texts
        if text
    ]
    return np.fromiter((token for piece in pieces for token in piece), dtype=np.int32)


def windows(stream: NDArray[np.int32], length: int, random: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Yield windows of `length` + 1 tokens without end; the last token of a window is only predicted.

    Every pass over the stream starts at another offset and visits its windows in another order. A stream that is
    shorter than a window is repeated until it fills one.
    """
    if len(stream) < length + 1:
        stream = np.tile(stream, -(-(length + 1) // len(stream)))
    while True:
        offset = int(random.integers(min(length, len(stream) - length)))
        starts = np.arange(offset, len(stream) - length, length)
        for start in random.permutation(starts):
            yield stream[start : start + length + 1].astype(np.int64)
