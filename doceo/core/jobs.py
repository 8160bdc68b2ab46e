"""Jobs of the service: what is asked, how far it is, what came of it."""

from __future__ import annotations

from typing import Any, Literal

from doceo.core.records import Record

JobKind = Literal["fine_tuning", "generation", "evaluation", "indexing"]
JobStatus = Literal["validating_files", "queued", "running", "paused", "succeeded", "failed", "cancelled"]
Wanted = Literal["", "cancel", "pause"]

SCHEMA = 1
"""The number of the form that specs are written in. A newer program still runs jobs of older numbers."""

ENDED: tuple[JobStatus, ...] = ("succeeded", "failed", "cancelled")


class JobError(Record):
    """Why a job failed. `code` is that of an error of Doceo, or `out_of_memory`, `disk_full`, `killed`."""

    code: str
    message: str
    param: str | None = None


class Job(Record):
    """A job. Times are seconds since 1970, UTC.

    Attributes:
        owner: Whose it is.
        schema_number: The form of `spec`.
        spec: What was asked, as the kind's own model writes it.
        metadata: Its owner's own words for it.
        wanted: What its owner wants of it, until the worker has done it.
        worker: Who works on it; empty while nobody does.
        lease: How often it was given to a worker, or cancelled or paused while nobody worked on it. A worker that holds
            an older number may write nothing.
        entry: How often it was put into the queue, from 1. Older entries of the queue count for nothing.
        result: What came of it, by kind.
    """

    id: str
    owner: str
    kind: JobKind
    schema_number: int = SCHEMA
    spec: dict[str, Any]
    metadata: dict[str, str] = {}
    status: JobStatus = "queued"
    wanted: Wanted = ""
    worker: str = ""
    lease: int = 0
    entry: int = 1
    created: float
    started: float | None = None
    finished: float | None = None
    estimated_finish: float | None = None
    result: dict[str, Any] = {}
    error: JobError | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.status in ENDED


class JobEvent(Record):
    """One thing that happened to a job; `data` holds the numbers of a `metrics` event. Places count from 1."""

    job: str
    place: int
    created: float
    level: Literal["info", "warn", "error"] = "info"
    kind: Literal["message", "metrics"] = "message"
    message: str
    data: dict[str, Any] | None = None
