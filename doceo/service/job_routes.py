"""What the routes of every kind of job do alike: find, list, cancel, pause, resume, and tell what happens."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from doceo.app.host import Host
from doceo.app.store.jobs import TooManyJobs
from doceo.core.access import Caller
from doceo.core.jobs import Job, JobKind, JobStatus
from doceo.service.access import Hosted, MayTrain
from doceo.service.event_streams import Streams
from doceo.service.paging import Listed, listed
from doceo.service.refusals import Refusal
from doceo.service.replies.errors import ErrorReply
from doceo.service.replies.jobs import EventReply, JobReply
from doceo.service.replies.pages import Deleted, Paged
from doceo.service.shapes.jobs import place_of, shown_event

Show = Callable[[Host, Job], dict[str, Any]]
IdempotencyKey = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=200)]
_FILTER = {
    "parameters": [
        {
            "name": "metadata",
            "in": "query",
            "description": "metadata[KEY]=VALUE: only jobs with these pairs; metadata=null: only those without any.",
            "style": "deepObject",
            "explode": True,
            "schema": {"type": "object", "additionalProperties": {"type": "string"}},
        }
    ]
}
_DELETED: dict[int | str, dict[str, Any]] = {
    200: {"model": Deleted},
    409: {"model": ErrorReply, "description": "The job has not ended, or its model is still there."},
}
_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {"model": Paged[EventReply], "content": {"text/event-stream": {"schema": {"type": "string"}}}}
}


def created(
    host: Host,
    caller: Caller,
    kind: JobKind,
    spec: dict[str, Any],
    *,
    metadata: dict[str, str] | None,
    said: str,
    key: str | None,
    status: JobStatus = "queued",
) -> Job:
    """Return a new job, or the one that was made with the same idempotency key.

    Raises Refusal where that one was asked for otherwise, or the owner has too many, StorageError.
    """
    enqueue, most = host.queue.opened(), host.settings.service.max_jobs
    try:
        job = host.store.jobs.create(
            caller.owner, kind, spec, enqueue, metadata=metadata, status=status, said=said, key=key, most=most
        )
    except TooManyJobs as error:
        message = f"{most} jobs have not ended yet. Wait for one, or cancel one."
        headers = {"Retry-After": "30"}
        raise Refusal(429, message, code="too_many_jobs", kind="requests", headers=headers) from error
    if (job.kind, job.spec, job.metadata) != (kind, spec, metadata or {}):
        message = "A job with this Idempotency-Key was asked for before, with other parameters."
        raise Refusal(400, message, code="idempotency_key_reused")
    return job


def add_job_routes(router: APIRouter, kind: JobKind, name: str, show: Show, reply: type[JobReply]) -> None:
    """Add the routes that all kinds of jobs have to a router of one.

    Args:
        router: Its prefix is where the jobs are.
        kind: Which jobs.
        name: What the object is called, such as `fine_tuning.job`.
        show: Returns a job as it is sent.
        reply: What is sent, for the description of the service.
    """
    _add_reading(router, kind, show, reply)
    _add_changing(router, kind, name, show, reply)
    _add_events(router, kind, name)


def _add_reading(router: APIRouter, kind: JobKind, show: Show, reply: type[JobReply]) -> None:
    @router.get("", name=f"list_{kind}_jobs", openapi_extra=_FILTER, responses={200: {"model": Paged[reply]}})  # type: ignore[valid-type]
    def list_jobs(request: Request, host: Hosted, caller: MayTrain, wanted: Listed) -> dict[str, Any]:
        """List the caller's jobs, the newest first; `metadata[KEY]=VALUE` filters, `metadata=null` takes bare ones."""
        pairs, bare = _metadata(request)
        found = host.store.jobs.page(caller.owner, kind, wanted, metadata=pairs, bare=bare)
        return listed([show(host, job) for job in found.data], more=found.more)

    @router.get("/{job_id}", name=f"retrieve_{kind}_job", responses={200: {"model": reply}})
    def retrieve_job(job_id: str, host: Hosted, caller: MayTrain) -> dict[str, Any]:
        """Return a job."""
        return show(host, host.store.jobs.get(caller.owner, job_id, kind))


def _add_changing(router: APIRouter, kind: JobKind, name: str, show: Show, reply: type[JobReply]) -> None:
    title = kind.replace("_", "-")

    @router.post("/{job_id}/cancel", name=f"cancel_{kind}_job", responses={200: {"model": reply}})
    def cancel_job(job_id: str, host: Hosted, caller: MayTrain) -> dict[str, Any]:
        """Have a job end; one that runs saves its work first."""
        _unended(host.store.jobs.get(caller.owner, job_id, kind), "cancelled", but="cancelled")
        return show(host, host.store.jobs.cancel(caller.owner, job_id, f"The {title} job has been cancelled"))

    @router.post("/{job_id}/pause", name=f"pause_{kind}_job", responses={200: {"model": reply}})
    def pause_job(job_id: str, host: Hosted, caller: MayTrain) -> dict[str, Any]:
        """Lay a job aside; one that runs saves its work first. It is shown as queued, with `paused` true."""
        _unended(host.store.jobs.get(caller.owner, job_id, kind), "paused")
        return show(host, host.store.jobs.pause(caller.owner, job_id, f"The {title} job has been paused"))

    @router.post("/{job_id}/resume", name=f"resume_{kind}_job", responses={200: {"model": reply}})
    def resume_job(job_id: str, host: Hosted, caller: MayTrain) -> dict[str, Any]:
        """Put a paused job back into the queue; it goes on from what it has saved."""
        job = host.store.jobs.get(caller.owner, job_id, kind)
        if job.status != "paused" and job.wanted != "pause":
            raise Refusal(400, f"The job is {job.status}; only a paused one can be resumed.", code="not_paused")
        words = f"The {title} job has been resumed"
        return show(host, host.store.jobs.resume(caller.owner, job_id, words, host.queue.opened()))

    @router.delete("/{job_id}", name=f"delete_{kind}_job", responses=_DELETED)
    def delete_job(job_id: str, host: Hosted, caller: MayTrain) -> dict[str, Any]:
        """Delete a job that has ended, with its events and its folder; OpenAI has no such call."""
        job = host.store.jobs.get(caller.owner, job_id, kind)
        host.store.jobs.delete(caller.owner, job.id)
        shutil.rmtree(host.jobs / job.id, ignore_errors=True)
        return {"id": job.id, "object": f"{name}.deleted", "deleted": True}


def _add_events(router: APIRouter, kind: JobKind, name: str) -> None:
    @router.get("/{job_id}/events", name=f"list_{kind}_events", response_model=None, responses=_EVENTS)
    async def list_events(
        job_id: str,
        host: Hosted,
        caller: MayTrain,
        streams: Streams,
        after: Annotated[str, Query(max_length=128)] = "",
        limit: Annotated[int, Query(ge=0)] = 20,
        stream: bool = False,
    ) -> dict[str, Any] | StreamingResponse:
        """List what has happened, the newest first; with `stream=true` send it as it happens, the oldest first."""
        job = await run_in_threadpool(host.store.jobs.get, caller.owner, job_id, kind)
        place = place_of(job, after) if after else None
        if stream:
            return streams.opened(host, caller, job, name, place or 0)
        most = min(max(limit, 1), 100)
        events = host.store.job_events
        found = await run_in_threadpool(events.page, caller.owner, job_id, after=place, limit=most + 1)
        return listed([shown_event(job, event, name) for event in found[:most]], more=len(found) > most)


def _unended(job: Job, wanted: str, but: str = "") -> None:
    if job.ended and job.status != but:
        raise Refusal(400, f"The job has {job.status} already and cannot be {wanted}.", code="job_ended")


def _metadata(request: Request) -> tuple[dict[str, str], bool]:
    """Return the pairs that are asked for, and whether only jobs without any are wanted."""
    pairs = {
        name.removeprefix("metadata[").removesuffix("]"): value
        for name, value in request.query_params.items()
        if name.startswith("metadata[") and name.endswith("]")
    }
    return pairs, request.query_params.get("metadata") == "null"
