"""`/v1/vector_stores/{id}/file_batches`: many files at once."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter

from doceo.app.host import Host
from doceo.app.store.vector_stores import FileCounts
from doceo.service.access import Hosted, MayChat, MayIngest
from doceo.service.found_stores import changeable, live, readable
from doceo.service.paging import Listed, listed
from doceo.service.refusals import Refusal
from doceo.service.replies.pages import Paged
from doceo.service.replies.vector_stores import BatchReply, StoreFileReply
from doceo.service.shapes.vector_stores import BatchWanted, shown_counts, shown_file

router = APIRouter(prefix="/v1/vector_stores/{vector_store_id}/file_batches", tags=["Vector stores"])


@router.post("", responses={200: {"model": BatchReply}})
def create_file_batch(vector_store_id: str, wanted: BatchWanted, host: Hosted, caller: MayIngest) -> dict[str, Any]:
    """Attach files; all of them, or none where one is not there."""
    if bool(wanted.file_ids) == bool(wanted.files):
        raise Refusal(400, "Name files, either as file_ids or as files.", param="file_ids", code="invalid_value")
    store = live(host, changeable(host, caller, vector_store_id))
    files = [(host.store.files.get(store.owner, one.file_id), one.attributes) for one in wanted.wanted()]
    batch, _ = host.store.attachments.add(store.id, files, batch=True)
    host.indexing.soon(store.id)
    return _shown(host, store.id, batch)


@router.get("/{batch_id}", responses={200: {"model": BatchReply}})
def retrieve_file_batch(vector_store_id: str, batch_id: str, host: Hosted, caller: MayChat) -> dict[str, Any]:
    """Return how many files of a batch are indexed."""
    return _shown(host, readable(host, caller, vector_store_id).id, batch_id)


@router.post("/{batch_id}/cancel", responses={200: {"model": BatchReply}})
def cancel_file_batch(vector_store_id: str, batch_id: str, host: Hosted, caller: MayIngest) -> dict[str, Any]:
    """Leave those files of a batch that are not indexed yet."""
    store = changeable(host, caller, vector_store_id)
    host.store.batches.get(store.id, batch_id)
    host.store.batches.cancel(store.id, batch_id)
    host.indexing.soon(store.id)
    return _shown(host, store.id, batch_id)


@router.get("/{batch_id}/files", responses={200: {"model": Paged[StoreFileReply]}})
def list_batch_files(
    vector_store_id: str,
    batch_id: str,
    host: Hosted,
    caller: MayChat,
    wanted: Listed,
    filter: Literal["in_progress", "completed", "failed", "cancelled", ""] = "",
) -> dict[str, Any]:
    """List the files of a batch."""
    store = readable(host, caller, vector_store_id)
    host.store.batches.get(store.id, batch_id)
    found = host.store.attachments.page(store.id, wanted, status=filter, batch=batch_id)
    return listed([shown_file(row) for row in found.data], more=found.more)


def _shown(host: Host, store: str, batch: str) -> dict[str, Any]:
    created, counts = host.store.batches.get(store, batch)
    return {
        "id": batch,
        "object": "vector_store.files_batch",
        "created_at": int(created),
        "vector_store_id": store,
        "status": _status(counts),
        "file_counts": shown_counts(counts),
    }


def _status(counts: FileCounts) -> str:
    if counts.in_progress:
        return "in_progress"
    if counts.cancelled:
        return "cancelled"
    return "failed" if counts.total and counts.failed == counts.total else "completed"
