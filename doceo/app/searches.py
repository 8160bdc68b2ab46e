"""Searches over collections, as they are asked for from outside: with filters by file, and without a model."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from doceo.app.runs import collection_folder
from doceo.app.settings import Settings
from doceo.core.errors import NotFound
from doceo.core.protocols import Reranker
from doceo.core.records import Document, Passage

if TYPE_CHECKING:
    from rag.index import Index

_MOST = 64
"""Indexes that are kept open."""


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
    """Opens the indexes of collections and keeps them open as long as they are current. Safe for several threads.

    Args:
        settings: The embedder, and how is searched.
        home: The folder that holds the collections.
    """

    def __init__(self, settings: Settings, home: Path) -> None:
        self._settings, self._home = settings, home
        self._open: dict[str, Index] = {}
        self._lock = threading.Lock()

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
        from doceo.providers.embedders import shared_embedder
        from rag import versions
        from rag.index import Index

        folder = collection_folder(collection, self._home)
        with self._lock:
            known = self._open.get(collection)
        if known is not None and known.is_current():
            return known
        if versions.current(folder) is None:
            return None
        # two may open it at once: the one that is not kept is closed when nobody uses it any more
        opened = Index.open(folder, shared_embedder(self._settings.embedder))
        with self._lock:
            self._open.pop(collection, None)
            while len(self._open) >= _MOST:
                self._open.pop(next(iter(self._open)))
            return self._open.setdefault(collection, opened)

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
        """Close what is no longer current: nothing of a deleted text stays on the disk for the sake of a reader."""
        with self._lock:
            for collection, index in list(self._open.items()):
                if not index.is_current():
                    del self._open[collection]

    def _reranker(self) -> Reranker:
        from doceo.providers.cross_encoder import shared_reranker

        return shared_reranker(self._settings.retrieve.reranker)
