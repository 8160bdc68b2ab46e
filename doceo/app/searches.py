"""Searches over collections, as they are asked for from outside: with filters by file, and without a model."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from doceo.app.indexes import Indexes
from doceo.app.runs import collection_folder
from doceo.app.settings import Settings
from doceo.core.errors import NotFound
from doceo.core.protocols import Reranker
from doceo.core.records import Document, Passage

if TYPE_CHECKING:
    from rag.index import Index


@dataclass(frozen=True)
class Search:
    """What is searched for.

    Attributes:
        queries: Wordings of one question.
        most: Passages wanted.
        sources: Names of the files that are searched; None: all.
        rerank: Whether the service's reranker, if it has one, puts the passages in order.
        dense_weight: Weight of the vectors against the words, 0 to 1; None: the service's own.
    """

    queries: Sequence[str]
    most: int
    sources: Collection[str] | None = None
    rerank: bool = True
    dense_weight: float | None = None


class Searches:
    """Searches the indexes of collections. Safe for several threads.

    Args:
        settings: How is searched.
        home: The folder that holds the collections.
        indexes: Opens them.
    """

    def __init__(self, settings: Settings, home: Path, indexes: Indexes) -> None:
        self._settings, self._home, self._indexes = settings, home, indexes

    def search(self, collection: str, wanted: Search) -> list[Passage]:
        """Return the best passages, best first; none where nothing was indexed yet.

        Raises IndexUnusable, ModelNotFound.
        """
        index = self.index(collection)
        if index is None:
            return []
        from rag.filters import Sources
        from rag.retriever import HybridRetriever

        retrieve = self._settings.retrieve
        changes: dict[str, object] = {"where": ()}
        if wanted.dense_weight is not None:
            changes["dense_weight"] = wanted.dense_weight
        retriever = HybridRetriever(
            index,
            retrieve.model_copy(update=changes),
            reranker=self._reranker() if wanted.rerank and retrieve.reranker else None,
            only=None if wanted.sources is None else Sources(tuple(wanted.sources)),
        )
        return retriever.search_all(wanted.queries, wanted.most).passages

    def index(self, collection: str) -> Index | None:
        """Return the current index of a collection; None where nothing was indexed yet. Raises IndexUnusable."""
        return self._indexes.get(collection_folder(collection, self._home))

    def document(self, collection: str, source: str) -> Document:
        """Return the document of a file. Raises NotFound, IndexUnusable."""
        index = self.index(collection)
        key = index.texts.document_of(source) if index is not None else None
        document = index.document(key) if index is not None and key is not None else None
        if document is None:
            raise NotFound(f"Nothing is indexed of {source[:80]!r}.", hint="Wait until its status is `completed`.")
        return document

    def sources_of(self, collection: str, documents: Collection[str]) -> Mapping[str, list[str]]:
        """Return {document id: names of the files that hold it}. Raises IndexUnusable."""
        index = self.index(collection)
        return {} if index is None else index.texts.sources_of(documents)

    def let_go(self) -> None:
        """Close the indexes that are no longer current."""
        self._indexes.let_go()

    def _reranker(self) -> Reranker:
        from doceo.providers.cross_encoder import shared_reranker

        return shared_reranker(self._settings.retrieve.reranker)
