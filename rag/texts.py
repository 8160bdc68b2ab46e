"""The texts of an index in SQLite: documents, their sources, chunks, and the vector of every distinct text."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from doceo.core.records import Chunk, Document, Hit, Passage, Section, Span

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from rag.filters import Sources, Where

FILE = "texts.sqlite"
SMALL = 4096
"""Chunks up to which what a search needs of an index is held in memory."""
MANY = 500
"""Values of one SQL list; SQLite's own limit is at least 999."""


@dataclass(frozen=True)
class StoredChunk:
    """A chunk with what is shown of its document; `source` is the first of the document's sources by name.

    `flags` name the known patterns of text that gives orders, by what was known when it was indexed.
    """

    chunk: Chunk
    source: str
    title: str
    page: int | None
    flags: tuple[str, ...] = ()

    def passage(self, score: float = 0.0) -> Passage:
        """Return it as a passage that no search has found yet."""
        chunk = self.chunk
        hit = Hit(
            chunk_id=chunk.id,
            source=self.source,
            heading_path=chunk.heading_path,
            page=self.page,
            span=chunk.span,
            score=score,
            flags=self.flags,
        )
        return Passage(hit=hit, title=self.title, text=chunk.text, sections=chunk.sections)


class Texts:
    """The store, open for reading. Safe to share between threads.

    sqlite3.DatabaseError passes through: `rag.index` says what it means for the index.
    """

    def __init__(self, path: Path) -> None:
        self._database = self._connect(path)
        self._using = threading.Lock()
        self._few: bool | None = None
        self._flagged: frozenset[str] = frozenset()

    @staticmethod
    def _connect(path: Path) -> sqlite3.Connection:
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        return sqlite3.connect(uri, uri=True, check_same_thread=False)

    def close(self) -> None:
        """Close the file; what was written and not saved is lost."""
        self._database.close()

    def query(self, sql: str, values: Sequence[object] = ()) -> list[tuple[object, ...]]:
        """Return the rows of a statement."""
        with self._using:
            return self._database.execute(sql, values).fetchall()

    def sources(self) -> dict[str, str]:
        """Return {source: document id}."""
        return {
            str(source): str(document) for source, document in self.query("SELECT source, document_id FROM sources")
        }

    def document_of(self, source: str) -> str | None:
        """Return the id of the document of a source, or None."""
        rows = self.query("SELECT document_id FROM sources WHERE source = ?", [source])
        return str(rows[0][0]) if rows else None

    def sources_of(self, documents: Iterable[str]) -> dict[str, list[str]]:
        """Return {document id: its sources, sorted} of those that are stored."""
        rows = self.query(
            "SELECT document_id, source FROM sources WHERE document_id IN (SELECT value FROM json_each(?))"
            " ORDER BY document_id, source",
            [json.dumps(list(documents))],
        )
        found: dict[str, list[str]] = {}
        for document, source in rows:
            found.setdefault(str(document), []).append(str(source))
        return found

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
            text=decoded(text),
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

    def chunks(self, ids: Sequence[str]) -> dict[str, StoredChunk]:
        """Return {chunk id: chunk with its document's title, source and page}; ids that are not there are left out."""
        found: dict[str, StoredChunk] = {}
        for some in _lists(ids):
            rows = self.query(
                "SELECT c.id, c.document_id, c.start, c.end, c.text, c.heading_path, c.sections, c.flags,"
                " c.tokens, c.text_sha256, c.page,"
                " d.title, (SELECT MIN(source) FROM sources s WHERE s.document_id = c.document_id)"
                " FROM chunks c JOIN documents d ON d.id = c.document_id"
                f" WHERE c.id IN ({','.join('?' * len(some))})",
                some,
            )
            found.update((stored.chunk.id, stored) for stored in map(_stored, rows))
        return found

    def flagged(self, ids: Sequence[str]) -> set[str]:
        """Return those of the chunks that carry flags; those of a small index are read once."""
        if self._few is None:
            few = len(self.query("SELECT 1 FROM chunks LIMIT ?", [SMALL + 1])) <= SMALL
            rows = self.query("SELECT id FROM chunks WHERE flags != '[]'") if few else []
            self._few, self._flagged = few, frozenset(str(row[0]) for row in rows)
        if self._few:
            return set(self._flagged.intersection(ids))
        found: set[str] = set()
        for some in _lists(ids):
            marks = ",".join("?" * len(some))
            rows = self.query(f"SELECT id FROM chunks WHERE id IN ({marks}) AND flags != '[]'", some)
            found.update(str(row[0]) for row in rows)
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

    def matching(self, where: Where | Sources) -> list[str]:
        """Return the ids of the chunks of all documents for which the conditions hold, by document and place."""
        condition, values = where.sql()
        rows = self.query(
            "SELECT c.id FROM chunks c JOIN documents d ON d.id = c.document_id"
            f" WHERE {condition} ORDER BY c.document_id, c.start, c.end",
            values,
        )
        return [str(row[0]) for row in rows]

    def fields(self) -> list[str]:
        """Return the names of all metadata that any document has, sorted."""
        rows = self.query("SELECT DISTINCT m.key FROM documents d, json_each(d.metadata) m ORDER BY m.key")
        return [str(row[0]) for row in rows]


def _stored(row: tuple[object, ...]) -> StoredChunk:
    key, document_id, start, end, text, heading_path, sections, flags, tokens, text_sha256, page, title, source = row
    assert isinstance(start, int)
    assert isinstance(end, int)
    assert isinstance(tokens, int)
    assert page is None or isinstance(page, int)
    chunk = Chunk(
        id=str(key),
        document_id=str(document_id),
        span=Span(document_id=str(document_id), start=start, end=end),
        text=decoded(text),
        heading_path=tuple(json.loads(str(heading_path))),
        sections=tuple(Section(start=at, heading_path=tuple(path)) for at, path in json.loads(str(sections))),
        tokens=tokens,
        text_sha256=str(text_sha256),
    )
    return StoredChunk(chunk, str(source), str(title), page, tuple(json.loads(str(flags))))


def decoded(text: object) -> str:
    """Return a stored text: lone surrogates are kept."""
    assert isinstance(text, bytes)
    return text.decode("utf-8", "surrogatepass")


def _lists(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[at : at + MANY] for at in range(0, len(values), MANY))
