"""`/v1/files`: uploads, and what jobs made."""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse
from starlette.concurrency import run_in_threadpool

from doceo.app.host import Host
from doceo.app.store.files import StoredFile
from doceo.app.store.pages import Cursor
from doceo.app.uploads import Incoming
from doceo.core.access import Caller
from doceo.service.access import Hosted, MayKeepFiles
from doceo.service.bodies import MB
from doceo.service.multipart import Form, receive
from doceo.service.paging import cursor, listed
from doceo.service.quota import Room
from doceo.service.refusals import Refusal
from doceo.service.replies.files import FileReply
from doceo.service.replies.pages import Deleted, Paged

router = APIRouter(prefix="/v1/files", tags=["Files"])

Purpose = Literal["assistants", "batch", "fine-tune", "vision", "user_data", "evals"]
_TRAINED_ON = ("fine-tune", "evals")
_LEAST_SECONDS, _MOST_SECONDS = 3600, 30 * 24 * 3600
_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file", "purpose"],
                    "properties": {
                        "file": {"type": "string", "format": "binary"},
                        "purpose": {"type": "string", "enum": list(get_args(Purpose))},
                        "expires_after[anchor]": {"type": "string", "enum": ["created_at"]},
                        "expires_after[seconds]": {
                            "type": "integer", "minimum": _LEAST_SECONDS, "maximum": _MOST_SECONDS
                        },
                    },
                }
            }
        },
    }
}  # fmt: skip
_BYTES: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
}


@router.post("", openapi_extra=_FORM, responses={200: {"model": FileReply}})
async def create_file(request: Request, host: Hosted, caller: MayKeepFiles, quota: Room) -> dict[str, Any]:
    """Keep a file, streamed to the disk."""
    length = request.headers.get("content-length", "")
    async with quota.room(caller.owner, int(length) if length.isdecimal() else None) as room:
        with host.uploads.receiving() as incoming:
            form = await receive(request, incoming, min(room, host.settings.service.max_upload_mb * MB))
            return await run_in_threadpool(_kept, host, caller, incoming, form)


@router.get("", responses={200: {"model": Paged[FileReply]}})
def list_files(
    host: Hosted,
    caller: MayKeepFiles,
    wanted: Annotated[Cursor, Depends(cursor(most=10_000, usual=10_000))],
    purpose: str = "",
) -> dict[str, Any]:
    """List the caller's files, the newest first."""
    found = host.store.files.page(caller.owner, wanted, purpose)
    return listed([shown(file) for file in found.data], more=found.more)


@router.get("/{file_id}", responses={200: {"model": FileReply}})
def retrieve_file(file_id: str, host: Hosted, caller: MayKeepFiles) -> dict[str, Any]:
    """Return what is known of a file."""
    return shown(host.store.files.get(caller.owner, file_id))


@router.delete("/{file_id}", responses={200: {"model": Deleted}})
def delete_file(file_id: str, host: Hosted, caller: MayKeepFiles) -> dict[str, Any]:
    """Delete a file, and take it out of the vector stores that hold it."""
    for store in host.uploads.delete(host.store.files.get(caller.owner, file_id)):
        host.indexing.soon(store)
    return {"id": file_id, "object": "file", "deleted": True}


@router.get("/{file_id}/content", response_class=FileResponse, responses=_BYTES)
def file_content(file_id: str, host: Hosted, caller: MayKeepFiles) -> FileResponse:
    """Return a file's bytes, for saving: nothing that a browser would show or run."""
    file = host.store.files.get(caller.owner, file_id)
    return FileResponse(
        host.uploads.path(file),
        media_type="application/octet-stream",
        filename=file.filename,
        headers={"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"},
    )


def shown(file: StoredFile) -> dict[str, Any]:
    """Return a file in OpenAI's form."""
    return {
        "id": file.id,
        "object": "file",
        "bytes": file.bytes,
        "created_at": int(file.created),
        "expires_at": None if file.expires is None else int(file.expires),
        "filename": file.filename,
        "purpose": file.purpose,
        "status": "processed",
        "status_details": None,
        "sha256": file.sha256,
    }


def _kept(host: Host, caller: Caller, incoming: Incoming, form: Form) -> dict[str, Any]:
    if form.filename is None:
        raise _wrong("file", "There is no file in the form.")
    purpose = form.fields.get("purpose", "")
    if purpose not in get_args(Purpose):
        raise _wrong("purpose", f"purpose has to be one of {', '.join(get_args(Purpose))}.")
    most = host.settings.service.max_rows
    if purpose in _TRAINED_ON and incoming.lines > most:
        raise Refusal(400, f"The file has more than {most} lines, which is the most here.", param="file")
    file = host.uploads.keep(incoming, caller.owner, form.filename, purpose, seconds=_seconds(form.fields))
    return shown(file)


def _seconds(fields: dict[str, str]) -> float | None:
    """Return after how many seconds the file expires. Raises Refusal."""
    anchor, seconds = fields.get("expires_after[anchor]"), fields.get("expires_after[seconds]", "")
    if anchor is None and not seconds:
        return None
    if anchor != "created_at":
        raise _wrong("expires_after.anchor", "expires_after.anchor has to be created_at.")
    # the length first: Python reads no number of thousands of digits
    if not seconds.isdecimal() or len(seconds) > 9 or not _LEAST_SECONDS <= int(seconds) <= _MOST_SECONDS:
        raise _wrong(
            "expires_after.seconds", f"expires_after.seconds has to be from {_LEAST_SECONDS} to {_MOST_SECONDS}."
        )
    return float(seconds)


def _wrong(param: str, message: str) -> Refusal:
    return Refusal(400, message, code="invalid_value", param=param)
