"""Collections that the command line made, seen as vector stores: nobody's, and only for reading."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from doceo.app.collection import collections
from doceo.app.runs import collection_folder
from doceo.app.store.attachments import Attachment
from doceo.app.store.owners import VECTOR_STORE
from doceo.app.store.pages import Cursor, Page
from doceo.app.store.vector_stores import FileCounts, VectorStore
from doceo.core.errors import IndexUnusable, NotFound
from rag.index import summary

if TYPE_CHECKING:
    from rag.index import Index

_ROWS = (
    "SELECT d.id, MIN(s.source), d.title, d.media_type, d.metadata, LENGTH(d.text)"
    " FROM documents d JOIN sources s ON s.document_id = d.id {where} GROUP BY d.id ORDER BY d.id {order}"
)


def names(home: Path) -> list[str]:
    """Return the names of the collections that are no owner's."""
    return [name for name in collections(home) if not name.startswith(VECTOR_STORE)]


def as_store(name: str, home: Path) -> VectorStore | None:
    """Return a collection as a vector store; None where there is none, or none that can be read."""
    try:
        holds = summary(collection_folder(name, home))
    except IndexUnusable:
        return None
    if holds is None:
        return None
    return VectorStore(
        id=name,
        owner="",
        name=name,
        collection=name,
        metadata={},
        created=holds.updated,
        used=holds.updated,
        counts=FileCounts(completed=holds.documents),
        bytes=holds.bytes,
    )


def page(index: Index, name: str, cursor: Cursor) -> Page[Attachment]:
    """Return a page of the documents of a collection, by id; the id of the cursor need not be there any more."""
    rising = cursor.order == "asc"
    backwards = bool(cursor.before and not cursor.after)
    bounds = [(cursor.after, ">" if rising else "<"), (cursor.before, "<" if rising else ">")]
    named = [(key, sign) for key, sign in bounds if key]
    where = " AND ".join(f"d.id {sign} ?" for _, sign in named)
    order = "ASC" if rising != backwards else "DESC"
    rows = _rows(index, name, where, [key for key, _ in named], f"{order} LIMIT {cursor.limit + 1}")
    more, rows = len(rows) > cursor.limit, rows[: cursor.limit]
    return Page(rows[::-1] if backwards else rows, more)


def documents(index: Index, name: str, ids: Iterable[str] | None = None) -> list[Attachment]:
    """Return the documents of a collection as files of a store, by id; their fields are the attributes."""
    if ids is None:
        return _rows(index, name)
    return _rows(index, name, "d.id IN (SELECT value FROM json_each(?))", [json.dumps(list(ids))])


def document(index: Index, name: str, key: str) -> Attachment:
    """Return one document of a collection. Raises NotFound."""
    found = documents(index, name, [key])
    if not found:
        raise NotFound(f"There is no file {key[:80]!r} in this vector store.", hint="Its files are listed at /files.")
    return found[0]


def _rows(index: Index, name: str, where: str = "", values: Sequence[str] = (), order: str = "ASC") -> list[Attachment]:
    chosen = f"WHERE {where}" if where else ""
    rows = index.texts.query(_ROWS.format(where=chosen, order=order), values)
    made = (index.folder / index.version / "manifest.json").stat().st_mtime
    return [_file(name, made, row) for row in rows]


def _file(name: str, made: float, row: tuple[object, ...]) -> Attachment:
    key, source, title, media_type, metadata, size = map(str, row)
    return Attachment(
        store=name,
        file=key,
        source=source,
        attributes={**json.loads(metadata), "source": source, "title": title, "media_type": media_type},
        status="completed",
        bytes=int(size),
        created=made,
        removed=False,
    )
