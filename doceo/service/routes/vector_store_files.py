"""`/v1/vector_stores/{id}/files`: what a vector store holds."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter

from doceo.app import plain_collections
from doceo.app.host import Host
from doceo.app.store.attachments import Attachment
from doceo.app.store.pages import Page
from doceo.app.store.vector_stores import VectorStore
from doceo.core.errors import NotFound
from doceo.service.access import Hosted, MayChat, MayIngest
from doceo.service.found_stores import changeable, indexed, live, readable
from doceo.service.paging import Listed, listed
from doceo.service.replies.pages import Deleted, Paged
from doceo.service.replies.vector_stores import StoreFileContentReply, StoreFileReply
from doceo.service.shapes.vector_stores import AttributesChanged, FileWanted, shown_file

router = APIRouter(prefix="/v1/vector_stores/{vector_store_id}/files", tags=["Vector stores"])


@router.post("", responses={200: {"model": StoreFileReply}})
def create_vector_store_file(
    vector_store_id: str, wanted: FileWanted, host: Hosted, caller: MayIngest
) -> dict[str, Any]:
    """Attach a file; it is read and indexed soon."""
    store = live(host, changeable(host, caller, vector_store_id))
    file = host.store.files.get(store.owner, wanted.file_id)
    _, (row,) = host.store.attachments.add(store.id, [(file, wanted.attributes)])
    host.indexing.soon(store.id)
    return shown_file(row)


@router.get("", responses={200: {"model": Paged[StoreFileReply]}})
def list_vector_store_files(
    vector_store_id: str,
    host: Hosted,
    caller: MayChat,
    wanted: Listed,
    filter: Literal["in_progress", "completed", "failed", "cancelled", ""] = "",
) -> dict[str, Any]:
    """List the files of a store, the newest first, in one state where it is named."""
    store = readable(host, caller, vector_store_id)
    if store.owner:
        found = host.store.attachments.page(store.id, wanted, status=filter)
    elif filter in ("", "completed"):
        index = host.searches.index(store.collection)
        found = Page([], False) if index is None else plain_collections.page(index, store.id, wanted)
    else:
        found = Page([], False)
    return listed([shown_file(row) for row in found.data], more=found.more)


@router.get("/{file_id}", responses={200: {"model": StoreFileReply}})
def retrieve_vector_store_file(vector_store_id: str, file_id: str, host: Hosted, caller: MayChat) -> dict[str, Any]:
    """Return a file of a store: whether it is indexed, and else why not."""
    return shown_file(_file(host, readable(host, caller, vector_store_id), file_id))


@router.post("/{file_id}", responses={200: {"model": StoreFileReply}})
def update_vector_store_file(
    vector_store_id: str, file_id: str, changes: AttributesChanged, host: Hosted, caller: MayIngest
) -> dict[str, Any]:
    """Change the attributes of a file."""
    store = changeable(host, caller, vector_store_id)
    return shown_file(host.store.attachments.describe(store.id, file_id, changes.attributes or {}))


@router.delete("/{file_id}", responses={200: {"model": Deleted}})
def delete_vector_store_file(vector_store_id: str, file_id: str, host: Hosted, caller: MayIngest) -> dict[str, Any]:
    """Take a file out of a store; the file itself stays."""
    store = changeable(host, caller, vector_store_id)
    host.store.attachments.remove(store.id, file_id)
    host.indexing.soon(store.id)
    return {"id": file_id, "object": "vector_store.file.deleted", "deleted": True}


@router.get("/{file_id}/content", responses={200: {"model": StoreFileContentReply}})
def vector_store_file_content(vector_store_id: str, file_id: str, host: Hosted, caller: MayChat) -> dict[str, Any]:
    """Return the text that was read from a file."""
    store = readable(host, caller, vector_store_id)
    row = _file(host, store, file_id)
    with indexed(host, store):
        document = host.searches.document(store.collection, row.source)
    return {
        "object": "vector_store.file_content.page",
        "data": [{"type": "text", "text": document.text}],
        "has_more": False,
        "next_page": None,
    }


def _file(host: Host, store: VectorStore, file: str) -> Attachment:
    if store.owner:
        return host.store.attachments.get(store.id, file)
    index = host.searches.index(store.collection)
    if index is None:
        raise NotFound(f"There is no file {file[:80]!r} in this vector store.", hint="Nothing is indexed in it.")
    return plain_collections.document(index, store.id, file)
