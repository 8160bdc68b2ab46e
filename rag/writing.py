"""An answer while its model writes it: cleaned piece by piece, each citation known as soon as it is sure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from doceo.core.records import Citation
from rag.citations import Citing
from rag.refusal import is_refusal, may_be_refusal


class Cleaner(Protocol):
    """Takes a text piece by piece and gives it back cleaned; what cannot be judged yet waits."""

    def add(self, piece: str) -> str:
        """Take the next piece and return what is sure by now."""
        ...

    def end(self) -> str:
        """Return what was held back."""
        ...


class Writing:
    """One answer on its way.

    Args:
        cleaners: What the text passes through, in order.
        citing: Finds its citations.
        refusable: Whether it may be a refusal, which has no sources.

    Attributes:
        text: What was given out.
        citing: Its citations until now.
    """

    def __init__(self, cleaners: Sequence[Cleaner], citing: Citing, *, refusable: bool) -> None:
        self._cleaners, self.citing, self._refusable = cleaners, citing, refusable
        self._undecided = refusable
        self.text, self._held = "", ""

    def add(self, piece: str) -> Iterator[str | Citation]:
        """Take the next piece of the model's and yield what can be shown of it, and the citations it completes."""
        yield from self._shown(self._through(piece, 0))

    def end(self) -> Iterator[str | Citation]:
        """Yield what is left once the model has ended."""
        for at, cleaner in enumerate(self._cleaners):
            yield from self._shown(self._through(cleaner.end(), at + 1))
        if not (self._refusable and is_refusal(self.text)):
            yield from self.citing.add(self._held)
            yield from self.citing.end()

    def may_cite(self, piece: str) -> bool:
        """Return whether a piece may complete a citation, for which sentences are compared: work of milliseconds."""
        return self.citing.completes(self._held + piece)

    def _through(self, piece: str, first: int) -> str:
        for cleaner in self._cleaners[first:]:
            if not piece:
                return ""
            piece = cleaner.add(piece)
        return piece

    def _shown(self, piece: str) -> Iterator[str | Citation]:
        if not piece:
            return
        self.text += piece
        self._held += piece
        yield piece
        # what is no beginning of a refusal does not become one
        self._undecided = self._undecided and may_be_refusal(self.text)
        if not self._undecided:
            held, self._held = self._held, ""
            yield from self.citing.add(held)
