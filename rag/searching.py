"""One search for several wordings of a question, with any retriever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from doceo.core.protocols import Retriever
from doceo.core.records import Passage
from rag import history as turns


class Finds(Protocol):
    """What was found, and what did not go as asked."""

    @property
    def passages(self) -> Sequence[Passage]:
        """The passages, best first."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """What did not go as asked, such as a reranker that was too slow."""
        ...


@runtime_checkable
class SearchesAll(Protocol):
    """A retriever that fuses several wordings itself."""

    def search_all(self, queries: Mapping[str, float], k: int) -> Finds:
        """Return the k best passages for all wordings together, each with its weight, the fullest last."""
        ...


def search_all(retriever: Retriever, queries: Mapping[str, float], k: int) -> tuple[list[Passage], tuple[str, ...]]:
    """Return the k best passages for several wordings of a question, each with its weight, best first, and notes."""
    if isinstance(retriever, SearchesAll):
        found = retriever.search_all(queries, k)
        return list(found.passages), tuple(found.notes)
    return turns.fused(retriever, dict(queries), k), ()
