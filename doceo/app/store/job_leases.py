"""Jobs: a worker's side. Every write names the lease that it was given; one that has lost it changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import case, select, update

from doceo.app.store.engine import Database
from doceo.app.store.job_events import News, append
from doceo.app.store.job_rows import job_of
from doceo.app.store.jobs import Enqueue
from doceo.app.store.service_tables import jobs
from doceo.core.jobs import Job, JobError, JobStatus, Wanted


class LeaseLost(Exception):
    """Another worker has the job now, or it is gone."""


class JobLeases:
    """What workers do with jobs. Safe for several threads and processes."""

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database, self._clock = database, clock

    def take(self, job: str, entry: int, worker: str) -> Job | None:
        """Give a job to a worker, whoever had it before, and return it with its new lease.

        None where the entry of the queue is an old one, or nothing is left to do. Raises StorageError.
        """
        status = case((jobs.c.status == "queued", "running"), else_=jobs.c.status)
        values = {"worker": worker, "lease": jobs.c.lease + 1, "status": status}
        fits = (jobs.c.id == job, jobs.c.entry == entry, jobs.c.status.in_(("queued", "validating_files", "running")))
        with self._database.writing() as connection:
            row = connection.execute(update(jobs).where(*fits).values(values).returning(*jobs.c)).one_or_none()
            if row is None:
                return None
            if row.started is None and row.status == "running":
                connection.execute(update(jobs).where(jobs.c.id == job).values(started=self._clock()))
        return job_of(row)

    def wanted(self, job: Job) -> Wanted:
        """Return what the owner wants of a job. Raises LeaseLost, StorageError."""
        with self._database.reading() as connection:
            found = connection.execute(
                select(jobs.c.wanted).where(jobs.c.id == job.id, jobs.c.lease == job.lease)
            ).one_or_none()
        if found is None:
            raise LeaseLost(job.id)
        wish: Wanted = found.wanted
        return wish

    def result(self, job: Job) -> dict[str, Any]:
        """Return what a job has come to so far, as `keep` noted it. Raises LeaseLost, StorageError."""
        with self._database.reading() as connection:
            found = connection.scalar(select(jobs.c.result).where(jobs.c.id == job.id, jobs.c.lease == job.lease))
        if found is None:
            raise LeaseLost(job.id)
        noted: dict[str, Any] = json.loads(found)
        return noted

    def report(self, job: Job, news: Sequence[News], *, estimated_finish: float | None = None) -> None:
        """Add events, and note the expected end where it is given. Raises LeaseLost, StorageError."""
        values: dict[str, Any] = {"lease": job.lease}
        if estimated_finish is not None:
            values["estimated_finish"] = estimated_finish
        self._write(job, values, news)

    def keep(self, job: Job, result: dict[str, Any]) -> None:
        """Note what a job has come to so far. Raises LeaseLost, StorageError."""
        self._write(job, {"result": json.dumps(result)}, ())

    def end(
        self,
        job: Job,
        status: JobStatus,
        news: Sequence[News],
        *,
        result: dict[str, Any],
        error: JobError | None = None,
    ) -> None:
        """End a job, or lay it aside as paused. Raises LeaseLost, StorageError."""
        values: dict[str, Any] = {
            "status": status,
            "worker": "",
            "wanted": "",
            "estimated_finish": None,
            "finished": None if status == "paused" else self._clock(),
            "result": json.dumps(result),
            "error": None if error is None else error.model_dump_json(),
        }
        self._write(job, values, news)

    def release(self, job: Job, enqueue: Enqueue, news: Sequence[News] = (), *, checked: bool = False) -> None:
        """Put a job back into the queue, for whoever comes next; one whose files were `checked` waits for its work now.

        Raises LeaseLost, StorageError.
        """
        status: JobStatus = "validating_files" if job.status == "validating_files" and not checked else "queued"
        again = job.model_copy(update={"entry": job.entry + 1, "status": status})
        values = {"worker": "", "entry": again.entry, "status": status, "estimated_finish": None}
        self._write(job, values, news, lambda connection: enqueue(connection, again))

    def _write(
        self,
        job: Job,
        values: dict[str, Any],
        news: Sequence[News],
        then: Callable[[Any], None] = lambda connection: None,
    ) -> None:
        mine = (jobs.c.id == job.id, jobs.c.lease == job.lease)
        with self._database.writing() as connection:
            # The update holds the row, so that events of two writers never get one place.
            if not connection.execute(update(jobs).where(*mine).values(values)).rowcount:
                raise LeaseLost(job.id)
            append(connection, job.id, news, self._clock())
            then(connection)
