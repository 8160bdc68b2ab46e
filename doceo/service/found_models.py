"""Which models a caller may ask, and over which documents; of all others it is told that there are none."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from doceo.app.host import Host
from doceo.app.models import QUOTE
from doceo.app.served import Served
from doceo.app.store.models import TunedModel
from doceo.app.store.owners import VECTOR_STORE
from doceo.core.access import Caller
from doceo.service.access import may_search
from doceo.service.found_stores import searchable
from doceo.service.refusals import Refusal

TUNED = "ft:"
"""How the ids of tuned models begin."""


class Found(NamedTuple):
    """Who answers, and the collection that is answered from; empty: the one of ids that name none, or none."""

    served: Served
    collection: str


async def found(host: Host, caller: Caller, name: str, collection: str = "") -> Found:
    """Return who answers under a model's id, over a collection or vector store where one is named.

    Raises Refusal (404, 400), NotFound, ProviderError, IndexUnusable.
    """
    model, own = host.assistants.parted(name)
    if own and collection and own != collection:
        message = f"The model's id names the documents {own!r}, and `collection` names {collection!r}."
        raise Refusal(400, message, code="invalid_value", param="collection")
    named = collection or own
    if _is_plain(host, caller, model, named):
        folder = named
    else:
        folder = await asyncio.to_thread(
            _folder, host, caller, name, named, param="collection" if collection else "model"
        )
    spec = ""
    if model.startswith(TUNED):
        tuned = await asyncio.to_thread(host.store.models.get, caller.owner, model)
        if tuned is None:
            raise no_model(name)
        spec = spec_of(host, tuned)
    whole = f"{model}+{folder}" if folder else model
    served = host.assistants.opened(whole) or await asyncio.to_thread(host.assistants.get, whole, spec)
    if served is None:
        raise _nothing(host, name, model, folder)
    return Found(served, folder)


def spec_of(host: Host, tuned: TunedModel) -> str:
    """Return what a tuned model is opened as."""
    return f"adapter:{host.jobs / tuned.folder}"


def no_model(name: str) -> Refusal:
    """Return the refusal of a model that does not exist, or is another owner's."""
    message = f"The model {name[:200]!r} does not exist; /v1/models lists those that do."
    return Refusal(404, message, code="model_not_found", param="model")


def _is_plain(host: Host, caller: Caller, model: str, collection: str) -> bool:
    """Say whether it is plain without the database that a caller may search what is named."""
    if collection.startswith(VECTOR_STORE):
        return False
    if not collection:
        # without documents there is nothing that could be searched
        return may_search(caller, host, "") or not host.assistants.has_documents()
    return host.assistants.is_collection(collection) and may_search(caller, host, collection)


def _folder(host: Host, caller: Caller, name: str, collection: str, *, param: str) -> str:
    """Return the collection of a vector store, by id or name, or of a plain one. Raises Refusal (404), NotFound."""
    if collection.startswith(VECTOR_STORE):
        return searchable(host, caller, collection).collection
    store = host.store.vector_stores.named(caller.owner, collection) if collection else None
    if store is not None:
        return searchable(host, caller, store.id).collection
    if param == "model":
        raise no_model(name)
    message = f"There is no collection or vector store {collection[:200]!r}."
    raise Refusal(404, message, code="collection_not_found", param=param)


def _nothing(host: Host, name: str, model: str, folder: str) -> Refusal:
    if folder.startswith(VECTOR_STORE) and (model in host.assistants.models() or model.startswith(TUNED)):
        message = "Nothing is indexed yet in this vector store; wait until its status is `completed`."
        return Refusal(400, message, code="nothing_indexed", param="collection")
    if model == QUOTE and not folder:
        message = "`quote` answers from documents only; name some: quote+COLLECTION, or the field `collection`."
        return Refusal(404, message, code="model_not_found", param="model")
    return no_model(name)
