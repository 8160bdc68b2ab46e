"""Workers: their heartbeats, by the clock of the database, and who may take over from one that is dead."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Double, cast, delete, func, literal_column, select, update

from doceo.app.store.engine import Database, inserted
from doceo.app.store.job_rows import free
from doceo.app.store.service_tables import workers

DEAD = 60.0
"""Seconds without a heartbeat after which a worker counts as dead; by then it has ended its children itself."""


class Workers:
    """The workers of a database. Safe for several processes on several machines."""

    def __init__(self, database: Database, *, dead: float = DEAD) -> None:
        self._database, self._dead = database, dead

    def join(self, worker: str) -> bool:
        """Enter a worker, new or come back; False where its id counts as dead and it needs another one.

        Raises StorageError.
        """
        with self._database.writing() as connection:
            now = _now(connection)
            row = {"id": worker, "started": now, "heartbeat": now, "taken_by": ""}
            if inserted(connection, workers, row):
                return True
            back = update(workers).where(*_living(worker, now, self._dead)).values(started=now, heartbeat=now)
            return connection.execute(back).rowcount > 0

    def beat(self, worker: str) -> bool:
        """Note that a worker lives; False where another has taken over its jobs. Raises StorageError."""
        mine = (workers.c.id == worker, workers.c.taken_by == "")
        with self._database.writing() as connection:
            return connection.execute(update(workers).where(*mine).values(heartbeat=_now(connection))).rowcount > 0

    def take_over(self, dead: str, by: str) -> bool:
        """Claim the jobs of a dead worker, which wait again from now on; of all that try, one gets True.

        A claim holds as long as a heartbeat would: where its holder dies too, the next one can claim. Raises
        StorageError.
        """
        with self._database.writing() as connection:
            now = _now(connection)
            stale = (workers.c.id == dead, workers.c.heartbeat < now - self._dead)
            claim = update(workers).where(*stale).values(taken_by=by, heartbeat=now)
            won = connection.execute(claim).rowcount > 0
            if won:
                free(connection, dead, _time(connection))
        return won

    def leave(self, worker: str) -> None:
        """Forget a worker; a job that it still has waits for another one. Raises StorageError."""
        with self._database.writing() as connection:
            free(connection, worker, _time(connection))
            connection.execute(delete(workers).where(workers.c.id == worker))

    def all(self) -> set[str]:
        """Return the ids of all workers, dead ones that nobody has taken over yet included. Raises StorageError."""
        with self._database.reading() as connection:
            return set(connection.scalars(select(workers.c.id)))

    def dead(self) -> list[str]:
        """Return the workers whose heartbeat is too old. Raises StorageError."""
        with self._database.reading() as connection:
            stale = workers.c.heartbeat < _now(connection) - self._dead
            return list(connection.scalars(select(workers.c.id).where(stale).order_by(workers.c.id)))

    def alive(self) -> list[str]:
        """Return the workers that live. Raises StorageError."""
        with self._database.reading() as connection:
            living = (workers.c.heartbeat >= _now(connection) - self._dead, workers.c.taken_by == "")
            return list(connection.scalars(select(workers.c.id).where(*living).order_by(workers.c.id)))


def lives(connection: Connection, worker: str, dead: float = DEAD) -> bool:
    """Return whether a worker is at work: in the list, and neither dead nor taken over from."""
    living = _living(worker, _now(connection), dead)
    return connection.scalar(select(workers.c.id).where(*living)) is not None


def _living(worker: str, now: ColumnElement[float], dead: float) -> tuple[ColumnElement[bool], ...]:
    return workers.c.id == worker, workers.c.taken_by == "", workers.c.heartbeat >= now - dead


def _time(connection: Connection) -> float:
    return float(connection.execute(select(_now(connection))).scalar_one())


def _now(connection: Connection) -> ColumnElement[float]:
    """Return the database's clock, in seconds since 1970: machines differ, the database is one."""
    if connection.dialect.name == "sqlite":
        return literal_column("((julianday('now') - 2440587.5) * 86400.0)", Double)
    return cast(func.extract("epoch", func.clock_timestamp()), Double)
