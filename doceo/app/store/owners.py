"""Whose a collection is, and what an owner has."""

from __future__ import annotations

from sqlalchemy import Connection, Table, delete, func, select, update

from doceo.app.store.engine import Database
from doceo.app.store.service_tables import audit, files, jobs, keys, models, usage, vector_stores
from doceo.app.store.tables import metadata
from doceo.core.jobs import ENDED
from doceo.core.records import Record

VECTOR_STORE = "vs_"
"""How the names of vector stores' collections begin, and no others that a key can be given by `*`."""
_MOST = 4096


class Belongings(Record):
    """Ids of what an owner has outside the database too. Tuned models lie in the folders of their jobs."""

    files: tuple[str, ...]
    vector_stores: tuple[str, ...]
    jobs: tuple[str, ...]
    models: tuple[str, ...]


class Owners:
    """Owners and what is theirs. Safe for several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, str] = {}

    def of_collection(self, collection: str) -> str | None:
        """Return the owner of the vector store that a collection is of; None where it is of none. Raises StorageError.

        Owners never change and names are never used again: what was found is remembered.
        """
        if collection in self._known:
            return self._known[collection]
        with self._database.reading() as connection:
            query = select(vector_stores.c.owner).where(vector_stores.c.collection == collection)
            found = connection.scalar(query)
        if found is None:
            return None
        if len(self._known) >= _MOST:
            self._known.clear()
        return self._known.setdefault(collection, str(found))

    def counts(self, owner: str) -> dict[str, int]:
        """Return how many rows of each table are an owner's, the audit log left out; none of 0. Raises StorageError."""
        with self._database.reading() as connection:
            found = {
                table.name: connection.scalar(select(func.count()).where(table.c.owner == owner)) or 0
                for table in _owned()
            }
        return {name: count for name, count in found.items() if count}

    def belongings(self, owner: str) -> Belongings:
        """Return what an owner has outside the database too. Raises StorageError."""
        with self._database.reading() as connection:

            def ids(table: Table) -> tuple[str, ...]:
                return tuple(connection.scalars(select(table.c.id).where(table.c.owner == owner)))

            return Belongings(files=ids(files), vector_stores=ids(vector_stores), jobs=ids(jobs), models=ids(models))

    def unended(self, owner: str) -> list[str]:
        """Return the ids of an owner's jobs that have not ended. Raises StorageError."""
        mine = jobs.c.owner == owner, jobs.c.status.not_in(ENDED)
        with self._database.reading() as connection:
            return list(connection.scalars(select(jobs.c.id).where(*mine)))

    def forget(self, owner: str, now: float) -> None:
        """Delete all rows of an owner, its keys and their usage included, but for the audit log. Raises StorageError.

        What lies outside the database has to be gone by then: nothing names it any more.
        """
        with self._database.writing() as connection:
            _forget_keys(connection, owner, now)
            for table in _owned():
                connection.execute(delete(table).where(table.c.owner == owner))
            self._database.mark_deleted(connection)


def _owned() -> list[Table]:
    """Return the tables whose rows have an owner, what hangs on a row of another first."""
    return [table for table in reversed(metadata.sorted_tables) if "owner" in table.c and table is not audit]


def _forget_keys(connection: Connection, owner: str, now: float) -> None:
    """Delete what the keys of an owner have used; leave one, without owner and name, where no other key would be left.

    A service that has had keys is never open again to those who have none: see `Keys.any`.
    """
    mine = keys.c.owner == owner
    connection.execute(delete(usage).where(usage.c.key.in_(select(keys.c.id).where(mine))))
    if connection.scalar(select(keys.c.id).where(keys.c.owner != owner).limit(1)) is None:
        last = connection.scalar(select(keys.c.id).where(mine).limit(1))
        values = {"owner": "", "name": "", "revoked": func.coalesce(keys.c.revoked, now)}
        connection.execute(update(keys).where(keys.c.id == last).values(values))
