"""Vector stores: collections that belong to an owner. Their files: `doceo.app.store.attachments`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update

from doceo.app.store.engine import Database, storable
from doceo.app.store.owners import VECTOR_STORE
from doceo.app.store.pages import Cursor, Page, new_id, page
from doceo.app.store.service_tables import vector_store_files, vector_stores
from doceo.core.errors import NotFound
from doceo.core.records import Record

DAY = 24 * 3600.0
_USED = 60.0
"""Seconds within which a further use is not written down."""


class FileCounts(Record):
    """How many files of a store, or of a batch, are in which state."""

    in_progress: int = 0
    completed: int = 0
    failed: int = 0
    cancelled: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.in_progress + self.completed + self.failed + self.cancelled


class VectorStore(Record):
    """A vector store. Times are seconds since 1970, UTC.

    Attributes:
        collection: Name of its folder among the collections.
        used: When it was made, changed or searched last.
        expires_days: Days after the last use at which it expires; None: never.
        counts: Its files.
        bytes: Bytes of text that its index holds.
    """

    id: str
    owner: str
    name: str
    collection: str
    metadata: dict[str, str]
    created: float
    used: float
    expires_days: int | None = None
    counts: FileCounts = FileCounts()
    bytes: int = 0

    @property
    def expires(self) -> float | None:
        """When it expires."""
        return None if self.expires_days is None else self.used + self.expires_days * DAY


class VectorStores:
    """The vector stores of every owner; methods with an owner see those of that one only. Safe for several threads."""

    def __init__(self, database: Database, clock: Callable[[], float], ids: Callable[[], str]) -> None:
        self._database, self._clock, self._ids = database, clock, ids

    def create(
        self, owner: str, name: str = "", metadata: Mapping[str, str] | None = None, expires_days: int | None = None
    ) -> VectorStore:
        """Make an empty store. Raises StorageError."""
        now, key = self._clock(), new_id(VECTOR_STORE, self._clock, self._ids)
        row = {"id": key, "owner": owner, "name": storable(name), "collection": key, "metadata": _json(metadata or {})}
        times = {"created": now, "used": now, "expires_days": expires_days, "deleted": False}
        with self._database.writing() as connection:
            connection.execute(insert(vector_stores).values(**row, **times))
        return self.get(owner, key)

    def get(self, owner: str, store: str) -> VectorStore:
        """Return a store. Raises NotFound, StorageError."""
        with self._database.reading() as connection:
            return self._get(connection, store, vector_stores.c.owner == owner)

    def at(self, store: str) -> VectorStore:
        """Return a store of any owner: for those whose right to it was checked. Raises NotFound, StorageError."""
        with self._database.reading() as connection:
            return self._get(connection, store)

    def owner(self, store: str) -> str | None:
        """Return whose a store is; None where there is none, or no longer. Raises StorageError."""
        mine = vector_stores.c.id == store, vector_stores.c.deleted.is_(False)
        with self._database.reading() as connection:
            found: str | None = connection.scalar(select(vector_stores.c.owner).where(*mine))
        return found

    def named(self, owner: str, name: str) -> VectorStore | None:
        """Return an owner's store by its id or, the newest first, by its name; None where there is none."""
        query = select(vector_stores).where(
            vector_stores.c.owner == owner,
            vector_stores.c.deleted.is_(False),
            or_(vector_stores.c.id == name, vector_stores.c.name == name),
        )
        first = (vector_stores.c.id == name).desc(), vector_stores.c.id.desc()
        with self._database.reading() as connection:
            row = connection.execute(query.order_by(*first).limit(1)).one_or_none()
            return None if row is None else _stores(connection, [row])[0]

    def page(self, owner: str, cursor: Cursor) -> Page[VectorStore]:
        """Return a page of an owner's stores. Raises StorageError."""
        query = select(vector_stores).where(vector_stores.c.owner == owner, vector_stores.c.deleted.is_(False))
        with self._database.reading() as connection:
            found = page(connection, query, vector_stores.c.id, cursor)
            return Page(_stores(connection, found.data), found.more)

    def change(self, owner: str, store: str, changes: Mapping[str, Any]) -> VectorStore:
        """Change `name`, `metadata` or `expires_days` of a store. Raises NotFound, StorageError."""
        values = {**changes, "used": self._clock()}
        if "name" in values:
            values["name"] = storable(values["name"])
        if "metadata" in values:
            values["metadata"] = _json(values["metadata"])
        with self._database.writing() as connection:
            self._get(connection, store, vector_stores.c.owner == owner)
            connection.execute(update(vector_stores).where(vector_stores.c.id == store).values(values))
        return self.get(owner, store)

    def touch(self, store: VectorStore) -> None:
        """Write down that a store is used now, once a minute. Raises StorageError."""
        now = self._clock()
        if store.expires_days is not None and now - store.used > _USED:
            with self._database.writing() as connection:
                connection.execute(update(vector_stores).where(vector_stores.c.id == store.id).values(used=now))

    def is_expired(self, store: VectorStore) -> bool:
        """Say whether a store has expired."""
        return store.expires is not None and store.expires <= self._clock()

    def delete(self, owner: str, store: str) -> None:
        """Mark a store as deleted: nobody finds it any more, and its index is taken away after that.

        Raises NotFound, StorageError.
        """
        with self._database.writing() as connection:
            self._get(connection, store, vector_stores.c.owner == owner)
            connection.execute(update(vector_stores).where(vector_stores.c.id == store).values(deleted=True))

    def forget(self, store: str) -> None:
        """Delete the row of a store that is marked, with those of its files. Raises StorageError."""
        mine = vector_stores.c.id == store, vector_stores.c.deleted.is_(True)
        with self._database.writing() as connection:
            connection.execute(delete(vector_stores).where(*mine))
            self._database.mark_deleted(connection)

    def expired(self) -> list[str]:
        """Return the ids of all stores that have expired and still hold files. Raises StorageError."""
        held = select(vector_store_files.c.store).where(
            vector_store_files.c.store == vector_stores.c.id, vector_store_files.c.removed.is_(False)
        )
        query = select(vector_stores.c.id).where(
            vector_stores.c.used + vector_stores.c.expires_days * DAY <= self._clock(), held.exists()
        )
        with self._database.reading() as connection:
            return list(connection.scalars(query))

    def unfinished(self) -> list[str]:
        """Return the ids of all stores whose index is not yet as it should be. Raises StorageError."""
        files = select(vector_store_files.c.store).where(
            or_(vector_store_files.c.removed.is_(True), vector_store_files.c.status == "in_progress")
        )
        query = select(vector_stores.c.id).where(or_(vector_stores.c.deleted.is_(True), vector_stores.c.id.in_(files)))
        with self._database.reading() as connection:
            return list(connection.scalars(query.order_by(vector_stores.c.id)))

    def count(self) -> int:
        """Return how many stores all owners have. Raises StorageError."""
        query = select(func.count()).select_from(vector_stores).where(vector_stores.c.deleted.is_(False))
        with self._database.reading() as connection:
            return connection.scalar(query) or 0

    def indexed(self) -> list[str]:
        """Return the ids of the stores of all owners that hold a file whose text is in their index.

        Raises StorageError.
        """
        files = select(vector_store_files.c.store).where(
            vector_store_files.c.removed.is_(False), vector_store_files.c.status == "completed"
        )
        query = select(vector_stores.c.id).where(vector_stores.c.deleted.is_(False), vector_stores.c.id.in_(files))
        with self._database.reading() as connection:
            return list(connection.scalars(query.order_by(vector_stores.c.id)))

    def _get(self, connection: Connection, store: str, *conditions: Any) -> VectorStore:  # noqa: ANN401
        query = select(vector_stores).where(vector_stores.c.id == store, vector_stores.c.deleted.is_(False))
        row = connection.execute(query.where(*conditions)).one_or_none()
        if row is None:
            raise missing_store(store)
        return _stores(connection, [row])[0]


def missing_store(store: str) -> NotFound:
    """Return the error for a store that an owner does not have, whoever else may have it."""
    return NotFound(f"There is no vector store {store[:80]!r}.", hint="GET /v1/vector_stores lists those there are.")


def counted(rows: list[tuple[str, int]]) -> FileCounts:
    """Return counts by state as a record."""
    return FileCounts.model_validate({status: number for status, number in rows})


def _stores(connection: Connection, rows: list[Row[*tuple[Any, ...]]]) -> list[VectorStore]:
    """Return stores with the counts of their files, by one further query."""
    kept = vector_store_files.c.store.in_([row.id for row in rows]), vector_store_files.c.removed.is_(False)
    columns = vector_store_files.c.store, vector_store_files.c.status
    numbers = func.count(), func.sum(vector_store_files.c.bytes)
    states: dict[str, list[tuple[str, int]]] = {}
    sizes: dict[str, int] = {}
    for store, status, number, size in connection.execute(select(*columns, *numbers).where(*kept).group_by(*columns)):
        states.setdefault(store, []).append((status, number))
        sizes[store] = sizes.get(store, 0) + int(size)
    return [
        VectorStore.model_validate(
            {key: value for key, value in row._mapping.items() if key != "deleted"}
            | {
                "metadata": json.loads(row.metadata),
                "counts": counted(states.get(row.id, [])),
                "bytes": sizes.get(row.id, 0),
            }
        )
        for row in rows
    ]


def _json(metadata: Mapping[str, str]) -> str:
    return json.dumps(dict(metadata))
