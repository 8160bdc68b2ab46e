"""Which models a caller may ask, and over which documents; of all others it is told that there are none."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from doceo.app.host import Host
from doceo.app.models import QUOTE
from doceo.app.served import Served
from doceo.app.store.models import TunedModel
from doceo.app.store.owners import VECTOR_STORE
from doceo.app.store.vector_stores import VectorStore
from doceo.core.access import Caller
from doceo.core.errors import IndexUnusable
from doceo.service.access import may_search
from doceo.service.embedding import name_of
from doceo.service.found_stores import is_lost, made_again, searchable
from doceo.service.refusals import Refusal

TUNED = "ft:"
"""How the ids of tuned models begin."""


class Found(NamedTuple):
    """Who answers, and the collection that is answered from; empty: the one of ids that name none, or none.

    `only` names the sources that may be found, where the collection's index holds deleted ones too; None: all.
    """

    served: Served
    collection: str
    only: tuple[str, ...] | None = None


async def found(host: Host, caller: Caller, name: str, collection: str | None = None) -> Found:
    """Return who answers under a model's id, over a collection or vector store where one is named.

    An empty `collection` stands for no documents; None, for what ids that name none use.

    Raises Refusal (404, 400, 503), NotFound, ProviderError, IndexUnusable.
    """
    model, own = host.assistants.parted(name)
    if own and collection is not None and own != collection:
        other = f"names {collection!r}" if collection else "is empty: none are to be used"
        message = f"The model's id names the documents {own!r}, and `collection` {other}."
        raise Refusal(400, message, code="invalid_value", param="collection")
    named, store, only = collection or own, None, None
    if named and not _is_plain(host, caller, named):
        param = "collection" if collection else "model"
        store, only = await asyncio.to_thread(_store, host, caller, name, named, param=param)
    folder = store.collection if store is not None else named
    spec = ""
    if model.startswith(TUNED):
        tuned = await asyncio.to_thread(host.store.models.get, caller.owner, model)
        if tuned is None:
            raise no_model(name)
        spec = spec_of(host, tuned)
    # who may not search what ids without a collection answer from is answered without documents
    place = folder or ("" if collection is None and may_search(caller, host, "") else None)
    served = await _ready(host, model, place, spec, store) if only != () else None
    if served is None:
        raise _nothing(host, name, model, store)
    return Found(served, folder, only)


async def _ready(host: Host, model: str, place: str | None, spec: str, store: VectorStore | None) -> Served | None:
    """Return who answers; the index of a vector store that is lost or damaged is made again. Raises Refusal (503)."""
    try:
        served = await host.assistants.ready(model, place, spec)
        if served is not None or store is None or not is_lost(host, store):
            return served
    except IndexUnusable:
        if store is None:
            raise
    raise await asyncio.to_thread(made_again, host, store)


def spec_of(host: Host, tuned: TunedModel) -> str:
    """Return what a tuned model is opened as."""
    return f"adapter:{host.jobs / tuned.folder}"


def no_model(name: str) -> Refusal:
    """Return the refusal of a model that does not exist, or is another owner's."""
    message = f"The model {name[:200]!r} does not exist; /v1/models lists those that do."
    return Refusal(404, message, code="model_not_found", param="model")


def _is_plain(host: Host, caller: Caller, collection: str) -> bool:
    """Say whether it is plain without the database that a caller may search what is named."""
    if collection.startswith(VECTOR_STORE):
        return False
    return host.assistants.is_collection(collection) and may_search(caller, host, collection)


def _store(
    host: Host, caller: Caller, name: str, collection: str, *, param: str
) -> tuple[VectorStore, tuple[str, ...] | None]:
    """Return a vector store by id or name, and what may be found in it. Raises Refusal (404), NotFound."""
    key: str | None = collection
    if not collection.startswith(VECTOR_STORE):
        known = host.store.vector_stores.named(caller.owner, collection)
        key = known.id if known is not None else None
    if key is not None:
        return searchable(host, caller, key), host.store.attachments.left(key)
    model = host.assistants.parted(name)[0]
    if param == "model" and not _is_model(host, model):
        raise no_model(name)
    message = f"There is no collection or vector store {collection[:200]!r}; GET /v1/vector_stores lists them."
    raise Refusal(404, message, code="collection_not_found", param=param)


def _is_model(host: Host, model: str) -> bool:
    return model in host.assistants.models() or model.startswith(TUNED)


def _nothing(host: Host, name: str, model: str, store: VectorStore | None) -> Refusal:
    if store is not None and store.owner and _is_model(host, model):
        return Refusal(400, _unindexed(store), code="nothing_indexed", param="collection")
    if model == QUOTE and store is None:
        message = "`quote` answers from documents only; name some: quote+COLLECTION, or the field `collection`."
        return Refusal(404, message, code="model_not_found", param="model")
    if model == name_of(host):
        message = f"The model {model!r} embeds only, at /v1/embeddings; /v1/models lists those that answer."
        return Refusal(404, message, code="model_not_found", param="model")
    return no_model(name)


def _unindexed(store: VectorStore) -> str:
    """Return why nothing can be found in a vector store."""
    if not store.counts.total:
        return "This vector store holds no files; attach some."
    if store.counts.in_progress:
        return "Nothing is indexed yet in this vector store; wait until its status is `completed`."
    return "None of the files of this vector store could be indexed; the `last_error` of each says why."
