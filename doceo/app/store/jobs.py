"""Jobs: their owners' side. A worker's side is `job_leases.py`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from sqlalchemy import Connection, Select, case, delete, func, select, update

from doceo.app.store.engine import Database, inserted
from doceo.app.store.job_events import News, append
from doceo.app.store.job_rows import job_of, lay_aside, row_of
from doceo.app.store.pages import Cursor, Page, new_id, page
from doceo.app.store.service_tables import jobs, models
from doceo.app.store.workers import lives
from doceo.core.errors import JobHeld, NotFound
from doceo.core.jobs import ENDED, Job, JobKind, JobStatus, Wanted

Enqueue = Callable[[Connection, Job], None]
"""Puts a job into the queue within a transaction."""

_PREFIX: dict[JobKind, str] = {
    "fine_tuning": "ftjob-",
    "generation": "genjob-",
    "evaluation": "evaljob-",
    "indexing": "indexjob-",
}
_SCANNED = 200
"""Rows that are looked at together where metadata is searched: JSON is asked for in two ways by two databases."""


class TooManyJobs(Exception):
    """An owner has as many jobs that have not ended as it may have."""


class Jobs:
    """The jobs of every owner; each method sees those of one owner only. Safe for several threads."""

    def __init__(self, database: Database, clock: Callable[[], float], ids: Callable[[], str]) -> None:
        self._database, self._clock, self._ids = database, clock, ids

    def create(
        self,
        owner: str,
        kind: JobKind,
        spec: dict[str, Any],
        enqueue: Enqueue,
        *,
        metadata: Mapping[str, str] | None = None,
        status: JobStatus = "queued",
        said: str = "",
        key: str | None = None,
        most: int | None = None,
    ) -> Job:
        """Make a job and put it into the queue: both or neither.

        Where the owner has made a job with the same idempotency key before, that one is returned.

        Args:
            owner: Whose it is.
            kind: What it does.
            spec: What was asked.
            enqueue: Puts it into the queue within the transaction.
            metadata: The owner's own words for it.
            status: `queued`, or `validating_files`.
            said: Its first event.
            key: The idempotency key.
            most: How many jobs of the owner may not have ended then; left out, any number.

        Raises TooManyJobs, StorageError.
        """
        job = Job(
            id=new_id(_PREFIX[kind], self._clock, self._ids),
            owner=owner,
            kind=kind,
            spec=spec,
            metadata=dict(metadata or {}),
            status=status,
            created=self._clock(),
        )
        with self._database.writing() as connection:
            if not inserted(connection, jobs, row_of(job, key)):
                earlier = select(jobs).where(jobs.c.owner == owner, jobs.c.idempotency == key)
                return job_of(connection.execute(earlier).one())
            if most is not None and self._unended(connection, owner) > most:
                raise TooManyJobs(owner)
            append(connection, job.id, [News(message=said)] if said else [], job.created)
            enqueue(connection, job)
        return job

    def get(self, owner: str, job: str, kind: JobKind) -> Job:
        """Return a job. Raises NotFound where the owner has no such one of the kind, StorageError."""
        query = select(jobs).where(jobs.c.owner == owner, jobs.c.id == job, jobs.c.kind == kind)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise missing_job(job)
        return job_of(row)

    def page(
        self,
        owner: str,
        kind: JobKind,
        cursor: Cursor,
        *,
        metadata: Mapping[str, str] | None = None,
        bare: bool = False,
    ) -> Page[Job]:
        """Return a page of an owner's jobs of a kind.

        Args:
            owner: Whose.
            kind: Of which kind.
            cursor: Which page.
            metadata: Only those that hold these pairs.
            bare: Only those without any metadata.

        Raises StorageError.
        """
        query = select(jobs).where(jobs.c.owner == owner, jobs.c.kind == kind)
        if bare:
            query = query.where(jobs.c.metadata == "{}")
        with self._database.reading() as connection:
            if not metadata:
                found = page(connection, query, jobs.c.id, cursor)
                return Page([job_of(row) for row in found.data], found.more)
            return _filtered(connection, query, cursor, metadata)

    def waiting(self, owner: str, kind: JobKind) -> list[Job]:
        """Return an owner's jobs of a kind that nobody has begun. Raises StorageError."""
        mine = jobs.c.owner == owner, jobs.c.kind == kind, jobs.c.status == "queued", jobs.c.worker == ""
        with self._database.reading() as connection:
            return [job_of(row) for row in connection.execute(select(jobs).where(*mine))]

    def cancel(self, owner: str, job: str, said: str) -> Job:
        """Have a job end, at once where nobody works on it, else soon, and return it as it is then.

        One that has ended stays as it is. Raises NotFound, StorageError.
        """
        return self._want(owner, job, "cancel", said)

    def pause(self, owner: str, job: str, said: str) -> Job:
        """Have a job pause, as `cancel`. Raises NotFound, StorageError."""
        return self._want(owner, job, "pause", said)

    def resume(self, owner: str, job: str, said: str, enqueue: Enqueue) -> Job:
        """Put a paused job into the queue again and return it; one that is still to be paused just goes on.

        Any other stays as it is. Raises NotFound, StorageError.
        """
        with self._database.writing() as connection:
            found = self._held(connection, owner, job)
            if not (found.status == "paused" or found.wanted == "pause"):
                return found
            changed = found.model_copy(update={"wanted": ""})
            if found.status == "paused":
                changed = changed.model_copy(update={"status": "queued", "entry": found.entry + 1})
                append(connection, job, [News(message=said)], self._clock())
                enqueue(connection, changed)
            values = {"status": changed.status, "entry": changed.entry, "wanted": ""}
            connection.execute(update(jobs).where(jobs.c.id == job).values(values))
        return changed

    def delete(self, owner: str, job: str) -> None:
        """Forget a job that has ended, with its events. Raises NotFound, JobHeld, StorageError."""
        with self._database.writing() as connection:
            found = self._held(connection, owner, job)
            if not found.ended:
                raise JobHeld(f"The job is {found.status}.", hint="Cancel it first, and wait until it has ended.")
            kept = connection.scalar(select(models.c.id).where(models.c.job == job))
            if kept is not None:
                raise JobHeld(f"The model {kept} is in the job's folder.", hint="Delete the model first.")
            connection.execute(delete(jobs).where(jobs.c.id == job))

    def prune(self, kind: JobKind, before: float) -> list[str]:
        """Forget jobs of every owner that ended before a time, and return their ids. Raises StorageError."""
        old = (jobs.c.kind == kind, jobs.c.status.in_(ENDED), jobs.c.finished < before)
        with self._database.writing() as connection:
            return sorted(connection.scalars(delete(jobs).where(*old).returning(jobs.c.id)))

    def over(self, ids: Collection[str], before: float) -> list[str]:
        """Return which of some jobs of any owner ended before a time. Raises StorageError."""
        old = (jobs.c.id.in_(ids), jobs.c.status.in_(ENDED), jobs.c.finished < before)
        with self._database.reading() as connection:
            return sorted(connection.scalars(select(jobs.c.id).where(*old)))

    def counts(self) -> dict[tuple[str, str], int]:
        """Return how many jobs there are by kind and status, of all owners; one that waits for anything is `queued`.

        Raises StorageError.
        """
        waits = (jobs.c.status == "validating_files") & (jobs.c.worker == "")
        status = case((waits, "queued"), else_=jobs.c.status).label("shown")
        query = select(jobs.c.kind, status, func.count()).group_by(jobs.c.kind, "shown")
        with self._database.reading() as connection:
            return {(kind, status): count for kind, status, count in connection.execute(query)}

    def _unended(self, connection: Connection, owner: str) -> int:
        """Return how many jobs of an owner have not ended, beside those that the service makes by itself."""
        mine = (jobs.c.owner == owner, jobs.c.kind != "indexing", jobs.c.status.not_in(ENDED))
        return connection.scalar(select(func.count()).where(*mine)) or 0

    def _want(self, owner: str, job: str, wanted: Wanted, said: str) -> Job:
        with self._database.writing() as connection:
            found = self._held(connection, owner, job)
            if found.ended:
                return found
            if not found.worker or not lives(connection, found.worker):
                status: JobStatus = "cancelled" if "cancel" in (wanted, found.wanted) else "paused"
                return lay_aside(connection, found, status, said, self._clock())
            if found.wanted != "cancel":
                connection.execute(update(jobs).where(jobs.c.id == job).values(wanted=wanted))
                found = found.model_copy(update={"wanted": wanted})
        return found

    def _held(self, connection: Connection, owner: str, job: str) -> Job:
        query = select(jobs).where(jobs.c.owner == owner, jobs.c.id == job).with_for_update()
        row = connection.execute(query).one_or_none()
        if row is None:
            raise missing_job(job)
        return job_of(row)


def _filtered(connection: Connection, query: Select[Any], cursor: Cursor, metadata: Mapping[str, str]) -> Page[Job]:
    found: list[Job] = []
    place, more = cursor.model_copy(update={"limit": _SCANNED}), True
    while more and len(found) <= cursor.limit:
        scanned = page(connection, query, jobs.c.id, place)
        read, more = [job_of(row) for row in scanned.data], scanned.more
        found += [job for job in read if metadata.items() <= job.metadata.items()]
        if read:
            place = place.model_copy(update={"after": read[-1].id})
    return Page(found[: cursor.limit], len(found) > cursor.limit)


def missing_job(job: str) -> NotFound:
    """Return the error for a job that an owner does not have, whoever else may have it."""
    return NotFound(f"There is no job {job[:80]!r}.", hint="The list of jobs names those there are.")
