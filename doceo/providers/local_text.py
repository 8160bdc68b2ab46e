"""From the tokens of one answer to its text, piece by piece."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from doceo.text.thinking import WithoutThinking

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

_HALF = "\ufffd"
"""What a tokenizer makes of the first bytes of a character."""


class TokenText:
    """Takes tokens and gives the text that they add, as far as it is sure.

    A token's text can depend on the one before it, so that each is read together with those since the last piece that
    was given out.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer, self._ids = tokenizer, list[int]()
        self._from = self._given = 0

    def add(self, token: int) -> str:
        """Take a token and return the text that is new."""
        self._ids.append(token)
        return self._new(ended=False)

    def end(self) -> str:
        """Return what was held back."""
        return self._new(ended=True)

    def _new(self, *, ended: bool) -> str:
        before = self._text(self._ids[self._from : self._given])
        after = self._text(self._ids[self._from :])
        if len(after) <= len(before) or (after.endswith(_HALF) and not ended):
            return ""
        self._from, self._given = self._given, len(self._ids)
        return after[len(before) :]

    def _text(self, ids: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=True)) if ids else ""


class Shown:
    """Takes the text of an answer and gives it as it is shown.

    It ends before the first stop mark, and has no white space at its ends and no reasoning at its beginning.

    Attributes:
        stopped: Whether a stop mark was found.
    """

    def __init__(self, stop: Sequence[str]) -> None:
        self._stop = [mark for mark in stop if mark]
        self._hold = max(map(len, self._stop), default=1) - 1
        self._thinking = WithoutThinking()
        self._held, self._space, self._begun = "", "", False
        self.stopped = False

    def add(self, text: str) -> str:
        """Take the next text and return what is sure by now."""
        if self.stopped:
            return ""
        self._held += text
        at = min((found for mark in self._stop if (found := self._held.find(mark)) >= 0), default=None)
        if at is not None:
            self.stopped = True
            ready, self._held = self._held[:at], ""
        else:
            cut = max(0, len(self._held) - self._hold)
            ready, self._held = self._held[:cut], self._held[cut:]
        return self._stripped(self._thinking.add(ready)) if ready else ""

    def end(self) -> str:
        """Return what was held back."""
        return self._stripped(self._thinking.add(self._held) + self._thinking.end())

    def _stripped(self, text: str) -> str:
        text = self._space + text if self._begun else text.lstrip()
        kept = text.rstrip()
        self._space = text[len(kept) :]
        self._begun = self._begun or bool(kept)
        return kept
