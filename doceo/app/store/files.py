"""Files that were uploaded or that jobs made: names and owners. Their bytes: `doceo.app.uploads`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Row, delete, func, insert, or_, select, update

from doceo.app.store.engine import Database, storable
from doceo.app.store.pages import Cursor, Page, new_id, page
from doceo.app.store.service_tables import files, vector_store_files
from doceo.core.errors import NotFound
from doceo.core.records import Record

_LONGEST_NAME = 512
"""Characters of a file name."""


class StoredFile(Record):
    """A file. Times are seconds since 1970, UTC; `filename` is what its owner calls it and never part of a path."""

    id: str
    owner: str
    filename: str
    purpose: str
    bytes: int
    sha256: str
    created: float
    expires: float | None = None


class Files:
    """The files of every owner; each method sees those of one owner only. Safe for several threads.

    One that has expired is missing from then on.
    """

    def __init__(self, database: Database, clock: Callable[[], float], ids: Callable[[], str]) -> None:
        self._database, self._clock, self._ids = database, clock, ids

    def new_id(self) -> str:
        """Return an id that no file has."""
        return new_id("file-", self._clock, self._ids)

    def new(
        self,
        owner: str,
        filename: str,
        purpose: str,
        *,
        size: int,
        sha256: str,
        seconds: float | None = None,
        name: str = "",
    ) -> StoredFile:
        """Return a file, not kept yet, under the id `name` or a new one.

        `size` is in bytes; it expires after `seconds`.
        """
        now = self._clock()
        return StoredFile(
            id=name or self.new_id(),
            owner=owner,
            filename=storable(filename)[:_LONGEST_NAME] or "file",
            purpose=purpose,
            bytes=size,
            sha256=sha256,
            created=now,
            expires=None if seconds is None else now + seconds,
        )

    def add(self, file: StoredFile) -> None:
        """Keep a file's row. Raises StorageError."""
        with self._database.writing() as connection:
            connection.execute(insert(files).values(file.model_dump()))

    def get(self, owner: str, file: str) -> StoredFile:
        """Return a file. Raises NotFound, StorageError."""
        with self._database.reading() as connection:
            row = connection.execute(select(files).where(*self._mine(owner), files.c.id == file)).one_or_none()
        if row is None:
            raise missing_file(file)
        return _file(row)

    def page(self, owner: str, cursor: Cursor, purpose: str = "") -> Page[StoredFile]:
        """Return a page of an owner's files, of one purpose where one is named. Raises StorageError."""
        query = select(files).where(*self._mine(owner))
        if purpose:
            query = query.where(files.c.purpose == purpose)
        with self._database.reading() as connection:
            found = page(connection, query, files.c.id, cursor)
        return Page([_file(row) for row in found.data], found.more)

    def remove(self, file: StoredFile) -> list[str]:
        """Delete a file's row and mark it as removed wherever it is attached; return the ids of those vector stores.

        Raises StorageError.
        """
        attached = vector_store_files.c.file == file.id
        with self._database.writing() as connection:
            stores = list(connection.scalars(select(vector_store_files.c.store).where(attached)))
            connection.execute(update(vector_store_files).where(attached).values(removed=True))
            connection.execute(delete(files).where(files.c.owner == file.owner, files.c.id == file.id))
        return stores

    def ids(self) -> list[str]:
        """Return the ids of the files of all owners. Raises StorageError."""
        with self._database.reading() as connection:
            return list(connection.scalars(select(files.c.id).order_by(files.c.id)))

    def used(self, owner: str) -> int:
        """Return the bytes of all files of an owner, also of those that have expired and are still there.

        Raises StorageError.
        """
        total = func.coalesce(func.sum(files.c.bytes), 0)
        with self._database.reading() as connection:
            return int(connection.scalar(select(total).where(files.c.owner == owner)) or 0)

    def is_kept(self, file: str) -> bool:
        """Say whether there is a row of a file, whoever owns it. Raises StorageError."""
        with self._database.reading() as connection:
            return connection.scalar(select(files.c.id).where(files.c.id == file)) is not None

    def expired(self) -> list[StoredFile]:
        """Return the files of all owners that have expired and are still kept. Raises StorageError."""
        with self._database.reading() as connection:
            return [_file(row) for row in connection.execute(select(files).where(files.c.expires <= self._clock()))]

    def _mine(self, owner: str) -> tuple[ColumnElement[bool], ...]:
        lasting = or_(files.c.expires.is_(None), files.c.expires > self._clock())
        return files.c.owner == owner, lasting


def missing_file(file: str) -> NotFound:
    """Return the error for a file that an owner does not have, whoever else may have it."""
    return NotFound(f"There is no file {file[:80]!r}.", hint="GET /v1/files lists those there are.")


def _file(row: Row[*tuple[Any, ...]]) -> StoredFile:
    return StoredFile.model_validate(dict(row._mapping))
