"""Batches: files that were attached to a vector store together. A file can be in several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from doceo.app.store.engine import Database
from doceo.app.store.pages import new_id
from doceo.app.store.service_tables import vector_store_batches, vector_store_files
from doceo.app.store.vector_stores import FileCounts, counted
from doceo.core.errors import NotFound

_files, _batches = vector_store_files.c, vector_store_batches.c


class Batches:
    """The batches of vector stores. Whose a store is, `VectorStores` says: ask there first. Safe for threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, store: str, batch: str) -> tuple[float, FileCounts]:
        """Return when a batch was made, and how those of its files are that are still attached.

        Raises NotFound, StorageError.
        """
        made = select(func.min(_batches.created)).where(_batches.store == store, _batches.id == batch)
        states = select(_files.status, func.count()).where(*_kept(store, batch)).group_by(_files.status)
        with self._database.reading() as connection:
            created = connection.scalar(made)
            rows = connection.execute(states).all()
        if created is None:
            raise NotFound(f"There is no batch {batch[:80]!r} in this vector store.", hint="Check the id.")
        return float(created), counted([(row[0], row[1]) for row in rows])

    def cancel(self, store: str, batch: str) -> None:
        """Let those files of a batch be that are not indexed yet. Raises StorageError."""
        mine = *_kept(store, batch), _files.status == "in_progress"
        with self._database.writing() as connection:
            connection.execute(update(vector_store_files).where(*mine).values(status="cancelled"))


def add_batch(
    connection: Connection, store: str, files: Sequence[str], clock: Callable[[], float], ids: Callable[[], str]
) -> str:
    """Write down which files are attached together, and return the id of their batch."""
    key, now = new_id("vsfb_", clock, ids), clock()
    rows = [{"id": key, "file": file, "store": store, "created": now} for file in files]
    connection.execute(insert(vector_store_batches), rows)
    return key


def is_in(batch: str) -> ColumnElement[bool]:
    """Return the condition that a row of a file in a vector store is of a batch."""
    members = select(_batches.file).where(_batches.store == _files.store, _batches.id == batch)
    return _files.file.in_(members.correlate(vector_store_files))


def _kept(store: str, batch: str) -> tuple[Any, ...]:
    return _files.store == store, _files.removed.is_(False), is_in(batch)
