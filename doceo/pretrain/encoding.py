"""Many texts to tokens at once."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_SWITCH = "TOKENIZERS_PARALLELISM"


class Encoder:
    """A tokenizer that takes batches, on all cores, and for which the names of special tokens are only text.

    Text that names `<|im_end|>` must not end there.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        from tokenizers import Tokenizer

        self._plain = tokenizer
        self._fast = None
        if getattr(tokenizer, "is_fast", False):
            # A copy: the settings below are not to be saved with the model.
            self._fast = Tokenizer.from_str(tokenizer.backend_tokenizer.to_str())
            self._fast.no_truncation()
            self._fast.no_padding()
            self._fast.encode_special_tokens = True

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Return the tokens of every text, without special ones."""
        # What UTF-8 cannot hold cannot be tokenized either.
        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        if self._fast is None:
            ids: list[list[int]] = self._plain(clean, add_special_tokens=False, verbose=False)["input_ids"]
            return ids
        with _parallel():
            return [found.ids for found in self._fast.encode_batch_fast(clean, add_special_tokens=False)]


@contextmanager
def _parallel() -> Iterator[None]:
    before = os.environ.get(_SWITCH)
    os.environ[_SWITCH] = "true"
    try:
        yield
    finally:
        os.environ.pop(_SWITCH)
        if before is not None:
            os.environ[_SWITCH] = before
