"""The texts of an index in SQLite: documents, their sources, chunks, and the vector of every distinct text.

Deleted rows are overwritten (`secure_delete`), so that a deleted document is gone from the bytes.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from doceo.core.records import Chunk, Document, Span

if TYPE_CHECKING:
    from numpy.typing import NDArray

FILE = "texts.sqlite"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY, media_type TEXT NOT NULL, title TEXT NOT NULL, text BLOB NOT NULL, sha256 TEXT NOT NULL,
    pages TEXT NOT NULL, metadata TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sources (source TEXT PRIMARY KEY, document_id TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sources_of ON sources (document_id, source);
CREATE TABLE IF NOT EXISTS chunks (
    id TEXT PRIMARY KEY, document_id TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, page INTEGER,
    text BLOB NOT NULL, heading_path TEXT NOT NULL, tokens INTEGER NOT NULL, text_sha256 TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS chunks_of ON chunks (document_id, start);
CREATE TABLE IF NOT EXISTS vectors (text_sha256 TEXT PRIMARY KEY, vector BLOB NOT NULL);
"""
_MANY = 500
"""Values of one SQL list; SQLite's own limit is at least 999."""


@dataclass(frozen=True)
class StoredChunk:
    """A chunk with what is shown of its document; `source` is the first of the document's sources by name."""

    chunk: Chunk
    source: str
    title: str
    page: int | None


class Texts:
    """The store, open for reading or (`writable`) for building a new version. Safe to share between threads.

    sqlite3.DatabaseError passes through: `rag.index` says what it means for the index.
    """

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        uri = f"{path.absolute().as_uri()}{'' if writable else '?mode=ro&immutable=1'}"
        self._database = sqlite3.connect(uri, uri=True, check_same_thread=False)
        self._using = threading.Lock()
        if writable:
            self._database.execute("PRAGMA secure_delete = ON")
            self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file; what was written and not saved is lost."""
        self._database.close()

    def save(self, *, vacuum: bool = False) -> None:
        """Commit, and with `vacuum` give the space of deleted rows back."""
        with self._using:
            self._database.commit()
            if vacuum:
                self._database.execute("VACUUM")

    def query(self, sql: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        """Return the rows of a statement."""
        with self._using:
            return self._database.execute(sql, values).fetchall()

    def sources(self) -> dict[str, str]:
        """Return {source: document id}."""
        return {
            str(source): str(document) for source, document in self.query("SELECT source, document_id FROM sources")
        }

    def document(self, document_id: str) -> Document | None:
        """Return a document under the first of its sources."""
        found = self.query(
            "SELECT media_type, title, text, sha256, pages, metadata,"
            " (SELECT MIN(source) FROM sources WHERE document_id = documents.id) FROM documents WHERE id = ?",
            [document_id],
        )
        if not found:
            return None
        media_type, title, text, sha256, pages, metadata, source = found[0]
        return Document(
            id=document_id,
            source=str(source),
            media_type=str(media_type),
            title=str(title),
            text=_decoded(text),
            sha256=str(sha256),
            pages=tuple(json.loads(str(pages))),
            metadata=json.loads(str(metadata)),
        )

    def chunk_ids(self, document_id: str | None = None) -> list[str]:
        """Return the ids of all chunks, or of one document's, by document and place."""
        where, values = ("WHERE document_id = ?", [document_id]) if document_id is not None else ("", [])
        return [
            str(row[0]) for row in self.query(f"SELECT id FROM chunks {where} ORDER BY document_id, start, end", values)
        ]

    def layout(self, document_id: str) -> tuple[str, list[tuple[object, ...]]]:
        """Return a document's title and, for each chunk by place, (id, heading path): what an update compares."""
        title = self.query("SELECT title FROM documents WHERE id = ?", [document_id])
        rows = self.query(
            "SELECT id, heading_path FROM chunks WHERE document_id = ? ORDER BY start, end", [document_id]
        )
        return (str(title[0][0]) if title else ""), rows

    def chunks(self, ids: Sequence[str]) -> dict[str, StoredChunk]:
        """Return {chunk id: chunk with its document's title, source and page}; ids that are not there are left out."""
        found: dict[str, StoredChunk] = {}
        for some in _lists(ids):
            rows = self.query(
                "SELECT c.id, c.document_id, c.start, c.end, c.text, c.heading_path, c.tokens, c.text_sha256, c.page,"
                " d.title, (SELECT MIN(source) FROM sources s WHERE s.document_id = c.document_id)"
                " FROM chunks c JOIN documents d ON d.id = c.document_id"
                f" WHERE c.id IN ({','.join('?' * len(some))})",
                some,
            )
            found.update((stored.chunk.id, stored) for stored in map(_stored, rows))
        return found

    def vectors(self, hashes: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        """Return {text hash: vector} of those that are stored."""
        found: dict[str, NDArray[np.float32]] = {}
        for some in _lists(sorted(set(hashes))):
            marks = ",".join("?" * len(some))
            for key, blob in self.query(
                f"SELECT text_sha256, vector FROM vectors WHERE text_sha256 IN ({marks})", some
            ):
                assert isinstance(blob, bytes)
                found[str(key)] = np.frombuffer(blob, dtype="<f4").astype(np.float32)
        return found

    def vectors_of(self, chunk_ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Return {chunk id: vector}."""
        hashes: dict[str, str] = {}
        for some in _lists(chunk_ids):
            marks = ",".join("?" * len(some))
            rows = self.query(f"SELECT id, text_sha256 FROM chunks WHERE id IN ({marks})", some)
            hashes.update((str(key), str(value)) for key, value in rows)
        vectors = self.vectors(hashes.values())
        return {key: vectors[value] for key, value in hashes.items() if value in vectors}

    def put_vectors(self, vectors: dict[str, NDArray[np.float32]]) -> None:
        """Store vectors by text hash."""
        rows = [(key, vector.astype("<f4").tobytes()) for key, vector in vectors.items()]
        with self._using:
            self._database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)

    def put(self, document: Document, chunks: Sequence[Chunk]) -> None:
        """Store a document under its source with its chunks, in place of what stood under its id."""
        pages, metadata = json.dumps(document.pages), json.dumps(document.metadata, sort_keys=True)
        fields = (
            document.id,
            document.media_type,
            document.title,
            _encoded(document.text),
            document.sha256,
            pages,
            metadata,
        )
        rows = [(c.id, c.document_id, c.span.start, c.span.end, document.page(c.span.start), *_kept(c)) for c in chunks]
        with self._using:
            self._database.execute("INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)", fields)
            self._database.execute("INSERT OR REPLACE INTO sources VALUES (?, ?)", (document.source, document.id))
            self._database.execute("DELETE FROM chunks WHERE document_id = ?", (document.id,))
            self._database.executemany("INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def remove_sources(self, sources: Iterable[str]) -> None:
        """Forget sources; `sweep` then drops what they leave without one."""
        with self._using:
            self._database.executemany("DELETE FROM sources WHERE source = ?", [(source,) for source in sources])

    def sweep(self) -> None:
        """Drop documents without a source, chunks without a document, vectors without a chunk."""
        with self._using:
            self._database.execute("DELETE FROM documents WHERE id NOT IN (SELECT document_id FROM sources)")
            self._database.execute("DELETE FROM chunks WHERE document_id NOT IN (SELECT id FROM documents)")
            self._database.execute("DELETE FROM vectors WHERE text_sha256 NOT IN (SELECT text_sha256 FROM chunks)")


def _stored(row: tuple[object, ...]) -> StoredChunk:
    key, document_id, start, end, text, heading_path, tokens, text_sha256, page, title, source = row
    assert isinstance(start, int)
    assert isinstance(end, int)
    assert isinstance(tokens, int)
    assert page is None or isinstance(page, int)
    chunk = Chunk(
        id=str(key),
        document_id=str(document_id),
        span=Span(document_id=str(document_id), start=start, end=end),
        text=_decoded(text),
        heading_path=tuple(json.loads(str(heading_path))),
        tokens=tokens,
        text_sha256=str(text_sha256),
    )
    return StoredChunk(chunk, str(source), str(title), page)


def _kept(chunk: Chunk) -> tuple[bytes, str, int, str]:
    return _encoded(chunk.text), json.dumps(chunk.heading_path), chunk.tokens, chunk.text_sha256


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _decoded(text: object) -> str:
    assert isinstance(text, bytes)
    return text.decode("utf-8", "surrogatepass")


def _lists(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[at : at + _MANY] for at in range(0, len(values), _MANY))
