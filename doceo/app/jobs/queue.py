"""The queue of jobs: DBOS in the same database as the jobs, so that one transaction makes a job and its entry."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from doceo.app.store.engine import Database
from doceo.app.store.jobs import Enqueue
from doceo.core.errors import StorageError
from doceo.core.jobs import SCHEMA, Job

if TYPE_CHECKING:
    from dbos import DBOSClient, EnqueueOptions

APPLICATION = "doceo"
"""Name and version that every process gives DBOS. A version of its own for each release would leave the jobs of the
last one lying: what a program can run is told by the queue instead."""
WORKFLOW = "run_job"
_PRUNED = 1000
"""Entries that are forgotten at once."""


def queue_name(schema: int, *, quick: bool) -> str:
    """Return the queue of jobs whose specs are written in a form.

    What takes seconds, indexing and the check of training files, never waits behind what takes hours.
    """
    return f"{'quick' if quick else 'jobs'}-{schema}"


QUEUES = tuple(queue_name(number, quick=quick) for number in range(1, SCHEMA + 1) for quick in (False, True))
"""The queues that this program works on: also those of older programs."""


class Queue:
    """Where jobs wait. Safe for threads; DBOS is imported and its tables are made at first use."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._client: DBOSClient | None = None

    def opened(self) -> Enqueue:
        """Return what puts a job into the queue within a transaction; all that it needs is made before.

        Raises StorageError.
        """
        client = self._opened()
        return lambda connection, job: _enqueue(client, connection, job)

    def prune(self, before: float) -> None:
        """Forget entries that came to their end before a time: nobody looks at them any more. Raises StorageError."""
        client = self._opened()
        until = datetime.fromtimestamp(before, UTC).isoformat()
        with usable(self._database):
            over = client.list_workflows(
                name=WORKFLOW, completed_before=until, limit=_PRUNED, load_input=False, load_output=False
            )
            if over:
                client.delete_workflows([entry.workflow_id for entry in over])

    def _opened(self) -> DBOSClient:
        with self._lock:
            if self._client is None:
                self._client = _client(self._database)
            return self._client


def address(database: Database) -> str:
    """Return the database's address as DBOS reads it, password included."""
    return database.engine.url.render_as_string(hide_password=False)


@contextmanager
def usable(database: Database) -> Iterator[None]:
    """Raise StorageError where the database fails DBOS during the block."""
    try:
        yield
    except SQLAlchemyError as error:
        raise StorageError(
            f"The queue in {database.place} cannot be used: {str(error).splitlines()[0]}.",
            hint="Check that the database can be reached.",
        ) from error


def migrate(database: Database) -> None:
    """Make or upgrade DBOS's tables. Raises StorageError."""
    from dbos import DBOS

    try:
        DBOS.migrate(address(database))
    except SQLAlchemyError as error:
        raise StorageError(
            f"The tables of the queue cannot be made in {database.place}: {str(error).splitlines()[0]}.",
            hint="Check that the database can be reached and that its user may make a schema.",
        ) from error


def _client(database: Database) -> DBOSClient:
    from dbos import DBOSClient, DBOSPortableJSONSerializer

    migrate(database)
    # JSON: DBOS would pickle arguments and results by default.
    return DBOSClient(
        system_database_url=address(database),
        serializer=DBOSPortableJSONSerializer(),
        application_name=APPLICATION,
        lazy=True,
    )


def _enqueue(client: DBOSClient, connection: Connection, job: Job) -> None:
    options: EnqueueOptions = {
        "workflow_name": WORKFLOW,
        "queue_name": queue_name(job.schema_number, quick=job.kind == "indexing" or job.status == "validating_files"),
        "workflow_id": f"{job.id}.{job.entry}",
        "app_version": APPLICATION,
    }
    client.enqueue_in_transaction(connection, options, job.id, job.entry)
