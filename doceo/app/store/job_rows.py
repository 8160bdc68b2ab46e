"""Jobs as rows of their table."""

from __future__ import annotations

import json

from sqlalchemy import Connection, Row, select, update

from doceo.app.store.job_events import News, append
from doceo.app.store.service_tables import jobs
from doceo.core.jobs import Job, JobStatus, Wanted

_JSON = ("spec", "metadata", "result")
LAID_ASIDE: dict[Wanted, tuple[JobStatus, str]] = {
    "cancel": ("cancelled", "Job cancelled"),
    "pause": ("paused", "Job paused; it goes on from what is saved when resumed"),
}
"""What a job becomes that its owner wants to end or to wait, and what is said of it then."""


def job_of(row: Row[*tuple[object, ...]]) -> Job:
    """Return the job of a row."""
    held = {name: value for name, value in row._mapping.items() if name != "idempotency"}
    held["schema_number"] = held.pop("schema")
    for name in _JSON:
        held[name] = json.loads(str(held[name]))
    held["error"] = None if held["error"] is None else json.loads(str(held["error"]))
    return Job.model_validate(held)


def row_of(job: Job, key: str | None) -> dict[str, object]:
    """Return the row of a new job, which was asked for with an idempotency key or without."""
    held = job.model_dump(mode="json") | {"idempotency": key}
    held["schema"] = held.pop("schema_number")
    for name in _JSON:
        # escaped, so that any character can be stored in either database
        held[name] = json.dumps(held[name])
    return held


def lay_aside(connection: Connection, job: Job, status: JobStatus, said: str, now: float) -> Job:
    """Cancel or pause a job that nobody works on and return it, within a transaction that holds its row.

    A dead worker that comes back to it finds its lease lost.
    """
    values: dict[str, object] = {
        "status": status,
        "wanted": "",
        "worker": "",
        "lease": job.lease + 1,
        "estimated_finish": None,
        "finished": None if status == "paused" else now,
    }
    if job.status != status:
        append(connection, job.id, [News(message=said)], now)
    connection.execute(update(jobs).where(jobs.c.id == job.id).values(values))
    return job.model_copy(update=values)


def free(connection: Connection, worker: str, now: float) -> None:
    """Have the jobs of a worker that is gone wait for another one, or be what their owners want of them.

    One that waits keeps its lease until it is given away again: its entry of the queue is still in the hands of the
    worker, which would end it if it came back and found the lease lost.
    """
    for row in connection.execute(select(jobs).where(jobs.c.worker == worker).with_for_update()).all():
        job = job_of(row)
        if job.wanted:
            lay_aside(connection, job, *LAID_ASIDE[job.wanted], now)
            continue
        values = {"worker": "", "status": "queued" if job.status == "running" else job.status, "estimated_finish": None}
        connection.execute(update(jobs).where(jobs.c.id == job.id).values(values))
