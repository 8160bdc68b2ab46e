"""What happened to jobs: events are only ever added, in an order that no reader sees changed."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection, Row, func, insert, select

from doceo.app.store.engine import Database, storable
from doceo.app.store.service_tables import job_events, jobs
from doceo.core.jobs import JobEvent
from doceo.core.records import Record

_LONGEST = 4000
"""Most characters of a message."""
_LATEST = 2000
"""Metrics that surely hold the last of each sort."""


class News(Record):
    """An event that is not stored yet, see `JobEvent`."""

    message: str
    level: str = "info"
    kind: str = "message"
    data: dict[str, object] | None = None


class JobEvents:
    """The events of all jobs; each method sees those of one owner only. Safe for several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def page(
        self, owner: str, job: str, *, after: int | None = None, limit: int = 20, oldest_first: bool = False
    ) -> list[JobEvent]:
        """Return at most `limit` events of a job, the newest first unless told otherwise.

        `after` is the place of the last event that is known already. None of a job that is not the owner's. Raises
        StorageError.
        """
        place = job_events.c.place
        query = select(job_events).join(jobs).where(jobs.c.owner == owner, jobs.c.id == job)
        if after is not None:
            query = query.where(place > after if oldest_first else place < after)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(place if oldest_first else place.desc()).limit(limit))
            return [_event(row) for row in rows]

    def metrics(self, job: str) -> list[JobEvent]:
        """Return the latest metrics of a job in order, for the worker. Raises StorageError."""
        query = select(job_events).where(job_events.c.job == job, job_events.c.kind == "metrics")
        with self._database.reading() as connection:
            rows = list(connection.execute(query.order_by(job_events.c.place.desc()).limit(_LATEST)))
        return [_event(row) for row in reversed(rows)]

    def messages(self, job: str) -> set[str]:
        """Return what was said of a job so far, for the worker. Raises StorageError."""
        query = select(job_events.c.message).where(job_events.c.job == job, job_events.c.kind == "message")
        with self._database.reading() as connection:
            return set(connection.scalars(query))


def append(connection: Connection, job: str, news: Sequence[News], now: float) -> None:
    """Add events within a transaction that holds the job's row."""
    if not news:
        return
    last = connection.scalar(select(func.max(job_events.c.place)).where(job_events.c.job == job)) or 0
    rows = [
        {
            "job": job,
            "place": place,
            "created": now,
            "level": one.level,
            "kind": one.kind,
            "message": storable(one.message)[:_LONGEST],
            "data": None if one.data is None else json.dumps(one.data),
        }
        for place, one in enumerate(news, last + 1)
    ]
    connection.execute(insert(job_events), rows)


def _event(row: Row[*tuple[object, ...]]) -> JobEvent:
    held = dict(row._mapping)
    data = held["data"]
    return JobEvent.model_validate(held | {"data": None if data is None else json.loads(str(data))})
