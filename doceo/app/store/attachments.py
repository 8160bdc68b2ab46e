"""Files in vector stores: what is to be indexed, what is, and what is to be taken out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any, Literal

from sqlalchemy import Connection, delete, insert, select, update

from doceo.app.store.batches import add_batch, is_in
from doceo.app.store.engine import Database, storable
from doceo.app.store.files import StoredFile
from doceo.app.store.pages import Cursor, Page, page
from doceo.app.store.service_tables import vector_store_files, vector_stores
from doceo.app.store.vector_stores import missing_store
from doceo.core.errors import NotFound
from doceo.core.records import Record

Attributes = Mapping[str, str | bool | int | float]
State = Literal["in_progress", "completed", "failed", "cancelled"]
_files = vector_store_files.c
_ID = re.compile(r"file-[0-9a-f]{28}")


class ReadError(Record):
    """Why a file is not in the index: `unsupported_file`, `invalid_file` or `server_error`, and in words."""

    code: Literal["unsupported_file", "invalid_file", "server_error"]
    message: str


class Attachment(Record):
    """A file in a vector store.

    Attributes:
        source: What it is called in citations: no two files of a store are called alike.
        bytes: Bytes of text that the index holds of it.
        removed: It is still to be taken out of the index.
    """

    store: str
    file: str
    source: str
    attributes: dict[str, str | bool | int | float]
    status: State
    error: ReadError | None = None
    bytes: int
    created: float
    removed: bool


class Attachments:
    """The files of vector stores. Whose a store is, `VectorStores` says: ask there first. Safe for several threads."""

    def __init__(self, database: Database, clock: Callable[[], float], ids: Callable[[], str]) -> None:
        self._database, self._clock, self._ids = database, clock, ids

    def add(
        self, store: str, added: Sequence[tuple[StoredFile, Attributes | None]], *, batch: bool = False
    ) -> tuple[str, list[Attachment]]:
        """Attach files, each with its attributes; return the id of their batch, if they are one, and their rows.

        One that is attached already has no other bytes now: it is read again only where it could not be indexed, and
        its attributes stay where none are named. Raises NotFound where there is no such store, StorageError.
        """
        now, ids = self._clock(), [file.id for file, _ in added]
        with self._database.writing() as connection:
            _lock(connection, store)
            attached = connection.execute(_kept(store).where(_files.file.in_(ids)).with_for_update())
            old = {str(row.file): row._asdict() for row in attached}
            names = {_name(file.filename) for file, _ in added}
            taken = select(_files.source, _files.file).where(_files.store == store, _files.source.in_(names))
            known = {str(row.source): str(row.file) for row in connection.execute(taken)}
            rows = []
            for file, attributes in added:
                if file.id in old:
                    rows.append(_again(old[file.id], attributes))
                    continue
                name = _name(file.filename)
                source = name if known.get(name, file.id) == file.id else f"{file.id}/{name}"
                known[source] = file.id
                rows.append(_row(store, file.id, source, attributes or {}, now))
            connection.execute(delete(vector_store_files).where(_files.store == store, _files.file.in_(ids)))
            connection.execute(insert(vector_store_files), rows)
            key = add_batch(connection, store, ids, self._clock, self._ids) if batch else ""
            connection.execute(update(vector_stores).where(vector_stores.c.id == store).values(used=now))
        return key, [_attachment(row) for row in rows]

    def get(self, store: str, file: str) -> Attachment:
        """Return a file of a store. Raises NotFound, StorageError."""
        with self._database.reading() as connection:
            return _get(connection, store, file)

    def page(self, store: str, cursor: Cursor, *, status: str = "", batch: str = "") -> Page[Attachment]:
        """Return a page of a store's files, by state and batch where they are named. Raises StorageError."""
        query = _kept(store)
        if status:
            query = query.where(_files.status == status)
        if batch:
            query = query.where(is_in(batch))
        with self._database.reading() as connection:
            found = page(connection, query, _files.file, cursor)
        return Page([_attachment(row._asdict()) for row in found.data], found.more)

    def all(self, store: str) -> list[Attachment]:
        """Return all files of a store, also those that are still to be taken out. Raises StorageError."""
        with self._database.reading() as connection:
            query = select(vector_store_files).where(_files.store == store).order_by(_files.file)
            return [_attachment(row._asdict()) for row in connection.execute(query)]

    def called(self, store: str, sources: Collection[str]) -> list[Attachment]:
        """Return the indexed files of a store that are called so in citations. Raises StorageError."""
        query = _kept(store).where(_files.status == "completed", _files.source.in_(sources))
        with self._database.reading() as connection:
            return [_attachment(row._asdict()) for row in connection.execute(query)]

    def left(self, store: str) -> tuple[str, ...] | None:
        """Return what the files that may be found are called in citations, where the index may hold others too.

        None where no file is still to be taken out. Raises StorageError.
        """
        gone = select(_files.file).where(_files.store == store, _files.removed.is_(True)).limit(1)
        found = select(_files.source).where(_files.store == store, _files.removed.is_(False))
        with self._database.reading() as connection:
            if connection.scalar(gone) is None:
                return None
            return tuple(connection.scalars(found.where(_files.status == "completed").order_by(_files.source)))

    def describe(self, store: str, file: str, attributes: Attributes) -> Attachment:
        """Change the attributes of a file. Raises NotFound, StorageError."""
        with self._database.writing() as connection:
            found = _get(connection, store, file)
            values = {"attributes": _json(attributes)}
            connection.execute(update(vector_store_files).where(*_one(store, file)).values(values))
        return found.model_copy(update={"attributes": dict(attributes)})

    def remove(self, store: str, file: str = "") -> None:
        """Mark a file, or all of them, as to be taken out. Raises NotFound for one that is not there, StorageError."""
        with self._database.writing() as connection:
            if file:
                _get(connection, store, file)
            marked = _one(store, file) if file else (_files.store == store,)
            connection.execute(update(vector_store_files).where(*marked).values(removed=True))

    def completed(self, store: str, sizes: Mapping[str, int]) -> None:
        """Note that files, with their bytes of text, are in the index; what was changed meanwhile stays so.

        Raises StorageError.
        """
        with self._database.writing() as connection:
            for file, size in sizes.items():
                values = {"status": "completed", "bytes": size, "error": None}
                connection.execute(update(vector_store_files).where(*_in_progress(store, file)).values(values))

    def failed(self, store: str, errors: Mapping[str, ReadError]) -> None:
        """Note why files cannot be indexed. Raises StorageError."""
        with self._database.writing() as connection:
            for file, error in errors.items():
                values = {"status": "failed", "bytes": 0, "error": error.model_dump_json()}
                connection.execute(update(vector_store_files).where(*_in_progress(store, file)).values(values))

    def again(self, store: str) -> None:
        """Have all indexed files of a store indexed again. Raises StorageError."""
        mine = _files.store == store, _files.status == "completed"
        with self._database.writing() as connection:
            connection.execute(update(vector_store_files).where(*mine).values(status="in_progress"))

    def forget(self, store: str, files: Sequence[str]) -> None:
        """Delete the rows of files that are out of the index and still marked. Raises StorageError."""
        gone = _files.store == store, _files.file.in_(files), _files.removed.is_(True)
        with self._database.writing() as connection:
            connection.execute(delete(vector_store_files).where(*gone))


def _name(filename: str) -> str:
    """Return what a file is called in citations: the last part of its name, and never like a file's id."""
    name = PurePosixPath(storable(filename).replace("\\", "/")).name.strip() or "file"
    return f"{name}.file" if _ID.fullmatch(name) else name


def _lock(connection: Connection, store: str) -> None:
    """Hold a store's row, so that two who attach do so one after the other. Raises NotFound."""
    mine = vector_stores.c.id == store, vector_stores.c.deleted.is_(False)
    if connection.execute(select(vector_stores.c.id).where(*mine).with_for_update()).one_or_none() is None:
        raise missing_store(store)


def _row(store: str, file: str, source: str, attributes: Attributes, now: float) -> dict[str, Any]:
    named = {"store": store, "file": file, "source": source, "attributes": _json(attributes)}
    return {**named, "status": "in_progress", "error": None, "bytes": 0, "created": now, "removed": False}


def _again(row: dict[str, Any], attributes: Attributes | None) -> dict[str, Any]:
    """Return the row of a file that is attached once more."""
    changes: dict[str, Any] = {} if attributes is None else {"attributes": _json(attributes)}
    if row["status"] in ("failed", "cancelled"):
        changes |= {"status": "in_progress", "error": None}
    return row | changes


def _one(store: str, file: str) -> tuple[Any, ...]:
    return _files.store == store, _files.file == file


def _in_progress(store: str, file: str) -> tuple[Any, ...]:
    return *_one(store, file), _files.status == "in_progress", _files.removed.is_(False)


def _kept(store: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - SQLAlchemy's type names every column
    return select(vector_store_files).where(_files.store == store, _files.removed.is_(False))


def _get(connection: Connection, store: str, file: str) -> Attachment:
    row = connection.execute(_kept(store).where(_files.file == file)).one_or_none()
    if row is None:
        raise NotFound(f"There is no file {file[:80]!r} in this vector store.", hint="Its files are listed at /files.")
    return _attachment(row._asdict())


def _attachment(held: dict[str, Any]) -> Attachment:
    error = None if held["error"] is None else json.loads(held["error"])
    return Attachment.model_validate({**held, "attributes": json.loads(held["attributes"]), "error": error})


def _json(attributes: Attributes) -> str:
    return json.dumps(dict(attributes))
