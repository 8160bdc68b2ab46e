"""The queue of jobs: DBOS in the same database as the jobs, so that one transaction makes a job and its entry."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, get_args

from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from doceo.app.store.engine import Database
from doceo.app.store.jobs import Enqueue
from doceo.core.errors import StorageError
from doceo.core.jobs import SCHEMA, Job, JobKind

if TYPE_CHECKING:
    from dbos import DBOSClient, EnqueueOptions

APPLICATION = "doceo"
"""Name and version that every process gives DBOS. A version of its own for each release would leave the jobs of the
last one lying: what a program can run is told by the queue instead."""
WORKFLOW = "run_job"


def queue_name(schema: int, kind: JobKind) -> str:
    """Return the queue of the jobs of a kind whose specs are written in a form.

    Indexing, which takes seconds, never waits behind training, which takes hours.
    """
    return f"{'indexing' if kind == 'indexing' else 'jobs'}-{schema}"


QUEUES = tuple(sorted({queue_name(number, kind) for number in range(1, SCHEMA + 1) for kind in get_args(JobKind)}))
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
        with self._lock:
            if self._client is None:
                self._client = _client(self._database)
            client = self._client
        return lambda connection, job: _enqueue(client, connection, job)


def address(database: Database) -> str:
    """Return the database's address as DBOS reads it, password included."""
    return database.engine.url.render_as_string(hide_password=False)


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
        "queue_name": queue_name(job.schema_number, job.kind),
        "workflow_id": f"{job.id}.{job.entry}",
        "app_version": APPLICATION,
    }
    client.enqueue_in_transaction(connection, options, job.id, job.entry)
