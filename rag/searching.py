"""One search for several wordings of a question, with any retriever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

from doceo.core.protocols import Retriever
from doceo.core.records import Passage


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


@runtime_checkable
class Limitable(Protocol):
    """A retriever that can keep to some documents."""

    def limited(self, sources: Sequence[str]) -> Retriever:
        """Return the same search over the documents of these sources only."""
        ...


def search_all(retriever: Retriever, queries: Mapping[str, float], k: int) -> tuple[list[Passage], tuple[str, ...]]:
    """Return the k best passages for several wordings of a question, each with its weight, best first, and notes."""
    if isinstance(retriever, SearchesAll):
        found = retriever.search_all(queries, k)
        return list(found.passages), tuple(found.notes)
    return _fused(retriever, queries, k), ()


def _fused(retriever: Retriever, queries: Mapping[str, float], k: int) -> list[Passage]:
    """Return the k best passages of several searches, best first: a weighted sum of their scores, 0 where not found."""
    if len(queries) == 1:
        return retriever.search(next(iter(queries)), k)
    scores: dict[str, float] = {}
    passages: dict[str, Passage] = {}
    # The scores that a hit shows are those of the fuller query, which comes last.
    for query, weight in reversed(list(queries.items())):
        for passage in retriever.search(query, 2 * k):
            key = passage.hit.chunk_id
            scores[key] = scores.get(key, 0.0) + weight * passage.hit.score
            passages.setdefault(key, passage)
    return [passages[key] for key in sorted(scores, key=lambda key: (-scores[key], key))[:k]]
