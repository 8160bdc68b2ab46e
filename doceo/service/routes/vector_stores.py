"""`/v1/vector_stores`: collections of documents, and searching them."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter

from doceo.app import plain_collections
from doceo.app.host import Host
from doceo.app.searches import Search
from doceo.app.store.attachments import Attachment
from doceo.app.store.vector_stores import VectorStore
from doceo.service.access import Hosted, MayChat, MayIngest
from doceo.service.found_stores import changeable, indexed, page, readable, searchable
from doceo.service.metrics import Measured
from doceo.service.paging import Listed, listed
from doceo.service.replies.pages import Deleted, Paged
from doceo.service.replies.vector_stores import SearchReply, VectorStoreReply
from doceo.service.shapes.vector_stores import SearchWanted, StoreChanged, StoreWanted, shown_passage, shown_store

router = APIRouter(prefix="/v1/vector_stores", tags=["Vector stores"])


@router.post("", responses={200: {"model": VectorStoreReply}})
def create_vector_store(wanted: StoreWanted, host: Hosted, caller: MayIngest) -> dict[str, Any]:
    """Make a vector store, with files where some are named."""
    files = [(host.store.files.get(caller.owner, file), None) for file in dict.fromkeys(wanted.file_ids)]
    days = wanted.expires_after.days if wanted.expires_after else None
    store = host.store.vector_stores.create(caller.owner, wanted.name, wanted.metadata, days)
    if files:
        host.store.attachments.add(store.id, files)
        host.indexing.soon(store.id)
    return _shown(host, host.store.vector_stores.at(store.id))


@router.get("", responses={200: {"model": Paged[VectorStoreReply]}})
def list_vector_stores(host: Hosted, caller: MayChat, wanted: Listed) -> dict[str, Any]:
    """List the caller's vector stores, the newest first, and behind them the collections that it may search."""
    found = page(host, caller, wanted)
    return listed([_shown(host, store) for store in found.data], more=found.more)


@router.get("/{vector_store_id}", responses={200: {"model": VectorStoreReply}})
def retrieve_vector_store(vector_store_id: str, host: Hosted, caller: MayChat) -> dict[str, Any]:
    """Return a vector store, with how many of its files are indexed."""
    return _shown(host, readable(host, caller, vector_store_id))


@router.post("/{vector_store_id}", responses={200: {"model": VectorStoreReply}})
def modify_vector_store(vector_store_id: str, changes: StoreChanged, host: Hosted, caller: MayIngest) -> dict[str, Any]:
    """Change the name, the metadata or the expiry of a vector store."""
    store = changeable(host, caller, vector_store_id)
    return _shown(host, host.store.vector_stores.change(store.owner, store.id, changes.values()))


@router.delete("/{vector_store_id}", responses={200: {"model": Deleted}})
def delete_vector_store(vector_store_id: str, host: Hosted, caller: MayIngest) -> dict[str, Any]:
    """Delete a vector store with its index; the files stay."""
    store = changeable(host, caller, vector_store_id)
    host.store.vector_stores.delete(store.owner, store.id)
    host.indexing.soon(store.id)
    return {"id": store.id, "object": "vector_store.deleted", "deleted": True}


@router.post("/{vector_store_id}/search", responses={200: {"model": SearchReply}})
def search_vector_store(
    vector_store_id: str, wanted: SearchWanted, host: Hosted, caller: MayChat, metrics: Measured
) -> dict[str, Any]:
    """Return the passages that fit best, each with where exactly it stands."""
    store = searchable(host, caller, vector_store_id)
    chosen = None
    if wanted.filters is not None:
        chosen = {row.source: row for row in _files(host, store) if wanted.filters.holds(row.attributes)}
    ranking, began = wanted.ranking_options, time.monotonic()
    search = Search(
        queries=wanted.queries(),
        most=wanted.max_num_results,
        sources=chosen,
        rerank=ranking.ranker != "none",
        dense_weight=ranking.hybrid_search.dense_weight() if ranking.hybrid_search else None,
    )
    with indexed(host, store):
        found = host.searches.search(store.collection, search)
    metrics.retrieved(time.monotonic() - began)
    good = [one for one in found if one.hit.score >= ranking.score_threshold]
    rows = _by_document(host, store, {one.hit.span.document_id for one in good}, chosen)
    known = [(one, rows.get(one.hit.span.document_id)) for one in good]
    return {
        "object": "vector_store.search_results.page",
        "search_query": wanted.queries(),
        "data": [shown_passage(one, row) for one, row in known if row is not None],
        "has_more": False,
        "next_page": None,
    }


def _shown(host: Host, store: VectorStore) -> dict[str, Any]:
    return shown_store(store, expired=host.store.vector_stores.is_expired(store))


def _files(host: Host, store: VectorStore) -> list[Attachment]:
    """Return the files of a store that can be found."""
    if store.owner:
        return [row for row in host.store.attachments.all(store.id) if not row.removed and row.status == "completed"]
    index = host.searches.index(store.collection)
    return [] if index is None else plain_collections.documents(index, store.id)


def _by_document(
    host: Host, store: VectorStore, documents: set[str], chosen: dict[str, Attachment] | None
) -> dict[str, Attachment]:
    """Return the file that each document is shown under: the first by name of those that were searched.

    Files that were deleted since the index was made are shown no more.
    """
    if not store.owner:
        index = host.searches.index(store.collection)
        rows = [] if index is None else plain_collections.documents(index, store.id, documents)
        return {row.file: row for row in rows}
    sources = host.searches.sources_of(store.collection, documents)
    if chosen is None:
        named = [name for names in sources.values() for name in names]
        chosen = {row.source: row for row in host.store.attachments.called(store.id, named)}
    return {
        document: next(chosen[name] for name in names if name in chosen)
        for document, names in sources.items()
        if any(name in chosen for name in names)
    }
