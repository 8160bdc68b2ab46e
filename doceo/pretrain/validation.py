"""How well a model predicts held-out text, in bits per byte: a measure that no choice of tokenizer changes."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray

from doceo.pretrain.objective import IGNORED, Objective
from doceo.pretrain.shards import Shards, borders

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


class Validation:
    """Held-out texts, measured in one order that mixes their sources.

    Args:
        shards: Where they lie.
        tokenizer: Of the model; its first token of a text is what the text's own first token is predicted from.
        context: Tokens that the model reads at once; a longer text is read in parts.
        rows: Parts that are in memory at once.
    """

    def __init__(self, shards: Shards, tokenizer: PreTrainedTokenizerBase, *, context: int, rows: int) -> None:
        self._shards, self._context, self._rows = shards, context, rows
        begin, end = borders(tokenizer)
        self._first = [*begin, end][0]
        order = np.random.default_rng(0).permutation(len(shards.index.held_out))
        self._texts = [shards.index.held_out[int(n)] for n in order if shards.index.held_out[int(n)].tokens]

    def bits_per_byte(self, model: PreTrainedModel, objective: Objective, tokens: int) -> float | None:
        """Return the cross-entropy over the first texts that together have so many tokens; None where there are none.

        It is the sum of the losses of all their tokens, end-of-sequence tokens not counted, over their UTF-8 bytes.
        The last text is cut where the tokens end.
        """
        nats, size, training = 0.0, 0.0, model.training
        model.eval()
        for batch, measured in self._batches(tokens):
            inputs, targets = (torch.from_numpy(half).to(model.device) for half in batch)
            nats += objective.total(inputs, targets)
            size += measured
        model.train(training)
        return nats / size / math.log(2) if size else None

    def openings(self, count: int, words: int) -> Iterator[NDArray[np.int64]]:
        """Yield the first tokens of some texts, about so many words' worth."""
        for text in self._texts[:count]:
            yield self._shards.held_out(text)[: words * 2]

    def _batches(self, tokens: int) -> Iterator[tuple[tuple[NDArray[np.int64], NDArray[np.int64]], float]]:
        """Yield ((inputs, targets), bytes), both of shape (rows, context); what fills a row up is `IGNORED`."""
        waiting: list[tuple[NDArray[np.int64], float]] = []
        for window in self._windows(tokens):
            waiting.append(window)
            if len(waiting) == self._rows:
                yield _padded(waiting)
                waiting = []
        if waiting:
            yield _padded(waiting)

    def _windows(self, tokens: int) -> Iterator[tuple[NDArray[np.int64], float]]:
        for text in self._texts:
            ids = np.concatenate([[self._first], self._shards.held_out(text)])[: tokens + 1]
            tokens -= len(ids) - 1
            share = text.bytes / text.tokens
            for start in range(0, len(ids) - 1, self._context):
                window = ids[start : start + self._context + 1]
                yield window, (len(window) - 1) * share
            if tokens <= 0:
                return


def _padded(
    windows: Sequence[tuple[NDArray[np.int64], float]],
) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], float]:
    longest = max(len(ids) for ids, _ in windows) - 1
    inputs = np.zeros((len(windows), longest), dtype=np.int64)
    targets = np.full((len(windows), longest), IGNORED, dtype=np.int64)
    for row, (ids, _) in enumerate(windows):
        inputs[row, : len(ids) - 1], targets[row, : len(ids) - 1] = ids[:-1], ids[1:]
    return (inputs, targets), sum(size for _, size in windows)
