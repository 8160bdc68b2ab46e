"""The texts of a version that is being made.

SQLite's `secure_delete` overwrites deleted rows, but not the copies of them that moving rows from page to page leaves
in the gaps of pages; so whatever was changed by deleting is written anew before it becomes a version.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from doceo.core.records import Chunk, Document
from doceo.text.injections import flags
from doceo.text.passages import heading_line
from rag.texts import MANY, Texts, decoded

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    id TEXT PRIMARY KEY, media_type TEXT NOT NULL, title TEXT NOT NULL, text BLOB NOT NULL, sha256 TEXT NOT NULL,
    pages TEXT NOT NULL, metadata TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS sources (source TEXT PRIMARY KEY, document_id TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sources_of ON sources (document_id, source);
CREATE TABLE IF NOT EXISTS chunks (
    id TEXT PRIMARY KEY, document_id TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, page INTEGER,
    text BLOB NOT NULL, heading_path TEXT NOT NULL, sections TEXT NOT NULL, flags TEXT NOT NULL,
    tokens INTEGER NOT NULL, text_sha256 TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS chunks_by_text ON chunks (text_sha256);
CREATE INDEX IF NOT EXISTS chunks_of ON chunks (document_id, start);
CREATE TABLE IF NOT EXISTS vectors (text_sha256 TEXT PRIMARY KEY, vector BLOB NOT NULL);
"""


class NewTexts(Texts):
    """The store, open for changing; of one thread.

    Args:
        path: Where it is made. A process that dies leaves a file that is of no use.
        old: The store of the last version, which it begins as.

    Attributes:
        rewritten: Ids of chunks that were there before and may read differently now.
    """

    def __init__(self, path: Path, old: Path | None = None) -> None:
        if old is not None:
            shutil.copyfile(old, path)
        super().__init__(path)
        self._path = path
        self._deleted = False
        self.rewritten: set[str] = set()
        for setting in ("secure_delete = ON", "journal_mode = OFF", "synchronous = OFF"):
            self._database.execute(f"PRAGMA {setting}")
        self._database.executescript(_SCHEMA)

    @staticmethod
    def _connect(path: Path) -> sqlite3.Connection:
        return sqlite3.connect(path)

    def layout(self, document_id: str) -> tuple[object, ...]:
        """Return what an update compares: a document's fields and, by place, each chunk's id, headings and sections."""
        fields = self.query("SELECT title, media_type, pages, metadata FROM documents WHERE id = ?", [document_id])
        rows = self.query(
            "SELECT id, heading_path, sections FROM chunks WHERE document_id = ? ORDER BY start, end", [document_id]
        )
        return (*(fields[0] if fields else ()), rows)

    def put(self, document: Document, chunks: Sequence[Chunk]) -> None:
        """Store a document under its source with its chunks, in place of what stood under its id."""
        title, media_type, pages, metadata, _ = layout(document, chunks)
        fields = (document.id, media_type, title, _encoded(document.text), document.sha256, pages, metadata)
        rows = [(c.id, c.document_id, c.span.start, c.span.end, document.page(c.span.start), *_kept(c)) for c in chunks]
        self.rewritten.update(self.chunk_ids(document.id))
        self._deleted |= bool(self.query("SELECT 1 FROM documents WHERE id = ?", [document.id]))
        with self._using:
            self._database.execute("INSERT OR REPLACE INTO documents VALUES (?, ?, ?, ?, ?, ?, ?)", fields)
            self._database.execute("INSERT OR REPLACE INTO sources VALUES (?, ?)", (document.source, document.id))
            self._database.execute("DELETE FROM chunks WHERE document_id = ?", (document.id,))
            self._database.executemany("INSERT INTO chunks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def remove_sources(self, sources: Iterable[str]) -> None:
        """Forget sources; `sweep` then drops what they leave without one."""
        self._deleted = True
        with self._using:
            self._database.executemany("DELETE FROM sources WHERE source = ?", [(source,) for source in sources])

    def sweep(self) -> None:
        """Drop documents without a source, chunks without a document, vectors without a chunk."""
        self._deleted = True
        with self._using:
            self._database.execute("DELETE FROM documents WHERE id NOT IN (SELECT document_id FROM sources)")
            self._database.execute("DELETE FROM chunks WHERE document_id NOT IN (SELECT id FROM documents)")
            self._database.execute("DELETE FROM vectors WHERE text_sha256 NOT IN (SELECT text_sha256 FROM chunks)")

    def drop_vectors(self) -> None:
        """Forget every vector."""
        self._deleted = True
        with self._using:
            self._database.execute("DELETE FROM vectors")

    def put_vectors(self, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Store vectors by text hash."""
        rows = [(key, vector.astype("<f4").tobytes()) for key, vector in vectors.items()]
        with self._using:
            self._database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)

    def without_vectors(self) -> dict[str, str]:
        """Return {text hash: text} of the chunks that have no vector, by document and place."""
        rows = self.query(
            "SELECT text_sha256, text FROM chunks WHERE text_sha256 NOT IN (SELECT text_sha256 FROM vectors)"
            " GROUP BY text_sha256 ORDER BY MIN(document_id), MIN(start)"
        )
        return {str(key): decoded(text) for key, text in rows}

    def ids_by_source(self) -> list[str]:
        """Return the ids of all chunks by source and place: what stands in one folder changes together."""
        rows = self.query(
            "SELECT c.id FROM chunks c"
            " JOIN (SELECT document_id, MIN(source) AS source FROM sources GROUP BY document_id) s"
            " ON s.document_id = c.document_id ORDER BY s.source, c.start, c.end"
        )
        return [str(row[0]) for row in rows]

    def passages(self, ids: Sequence[str]) -> Iterator[tuple[str, str, str]]:
        """Yield (id, title and headings, text) of chunks, in the order of their ids: what is searched by word."""
        for at in range(0, len(ids), MANY):
            some = ids[at : at + MANY]
            rows = self.query(
                "SELECT c.id, d.title, c.heading_path, c.text FROM chunks c JOIN documents d ON d.id = c.document_id"
                f" WHERE c.id IN ({','.join('?' * len(some))})",
                some,
            )
            found = {str(key): (str(title), str(path), text) for key, title, path, text in rows}
            for key in some:
                title, path, text = found[key]
                yield key, heading_line(title, json.loads(path)), decoded(text)

    def finish(self) -> None:
        """Save; what was deleted is then in no byte of the file, and the space it took is given back."""
        fresh = self._path.with_name(f".{self._path.name}")
        with self._using:
            self._database.commit()
            if self._deleted:
                self._database.execute("VACUUM INTO ?", [str(fresh)])
                self._database.close()
                fresh.replace(self._path)
                self._database = self._connect(self._path)


def layout(document: Document, chunks: Sequence[Chunk]) -> tuple[object, ...]:
    """Return what `NewTexts.layout` would of a document and its chunks, which are sorted by place."""
    pages, metadata = json.dumps(document.pages), json.dumps(document.metadata, sort_keys=True)
    rows = [(chunk.id, json.dumps(chunk.heading_path), _sections(chunk)) for chunk in chunks]
    return document.title, document.media_type, pages, metadata, rows


def _kept(chunk: Chunk) -> tuple[bytes, str, str, str, int, str]:
    path, found = json.dumps(chunk.heading_path), json.dumps(flags(chunk.text))
    return _encoded(chunk.text), path, _sections(chunk), found, chunk.tokens, chunk.text_sha256


def _sections(chunk: Chunk) -> str:
    return json.dumps([[one.start, one.heading_path] for one in chunk.sections])


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
