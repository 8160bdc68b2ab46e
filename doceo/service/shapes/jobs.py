"""Jobs and their events as they are shown, in the form of OpenAI's fine-tuning jobs."""

from __future__ import annotations

from typing import Any

from doceo.core.errors import NotFound
from doceo.core.jobs import Job, JobEvent, JobStatus

_STATUS: dict[JobStatus, str] = {"paused": "queued"}
"""OpenAI's clients know no other status than these, and refuse one that they do not know."""
_EVENT = {"fine_tuning": "ftevent", "generation": "genevent", "evaluation": "evalevent", "indexing": "indexevent"}


def shown_job(job: Job, kind: str) -> dict[str, Any]:
    """Return what all kinds of jobs have in common; `kind` is the name of the object, such as `fine_tuning.job`."""
    return {
        "id": job.id,
        "object": kind,
        "created_at": int(job.created),
        "started_at": None if job.started is None else int(job.started),
        "finished_at": None if job.finished is None else int(job.finished),
        "estimated_finish": None if job.estimated_finish is None else int(job.estimated_finish),
        "organization_id": f"org-{job.owner}",
        "status": _STATUS.get(job.status, job.status),
        "paused": job.status == "paused",
        "error": None if job.error is None else job.error.model_dump(),
        "metadata": job.metadata or None,
        "result_files": job.result.get("result_files", []),
    }


def shown_event(job: Job, event: JobEvent, kind: str) -> dict[str, Any]:
    """Return an event; `kind` is the name of the job's object."""
    return {
        "id": f"{_EVENT[job.kind]}-{job.id.partition('-')[2]}-{event.place}",
        "object": f"{kind}.event",
        "created_at": int(event.created),
        "level": event.level,
        "message": event.message,
        "type": event.kind,
        "data": event.data or {},
    }


def place_of(job: Job, event: str) -> int:
    """Return the place of an event among those of a job. Raises NotFound where the id is of no event of it."""
    before, _, place = event.rpartition("-")
    if before != f"{_EVENT[job.kind]}-{job.id.partition('-')[2]}" or not place.isdecimal() or len(place) > 9:
        raise NotFound(f"There is no event {event[:80]!r} of this job.", hint="Ask for the first page again.")
    return int(place)
