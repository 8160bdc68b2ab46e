"""Documents into an index: adds, updates and deletes as one new version; unchanged text is never embedded again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np

from data.jsonl import storage_error
from doceo.core.errors import IndexUnusable, InputError
from doceo.core.fingerprint import sha256
from doceo.core.progress import Silent
from doceo.core.protocols import Embedder, Progress
from doceo.core.records import Chunk, Document, Record
from doceo.text.passages import heading_line
from rag import lexical, versions
from rag.index import IndexManifest, file_hashes, read_manifest, write_manifest
from rag.lexical import FOLDER as LEXICAL
from rag.texts import FILE as TEXTS
from rag.texts import Texts
from rag.vectors import FOLDER as CHROMA
from rag.vectors import Vectors

_BATCH = 64
_SMALL = 5000
"""Below this many passages Chroma's folder is always written whole: it takes seconds and leaves nothing behind."""
_WORN = 0.25
"""Share of removed vectors from which it is written whole again, however large."""


class IndexReport(Record):
    """What an update did: documents by what became of them, passages embedded now, and what the index holds."""

    version: str
    added: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    embedded: int = 0
    documents: int = 0
    chunks: int = 0


def update(
    folder: Path,
    documents: Sequence[Document],
    chunks: Sequence[Chunk],
    embedder: Embedder,
    *,
    roots: Sequence[str] | None = None,
    sync: bool = False,
    rebuild: bool = False,
    progress: Progress | None = None,
) -> IndexReport:
    """Bring an index up to date with documents, making it where there is none.

    A process that dies leaves the version that was there; its vectors are used by the next update.

    Args:
        folder: The index.
        documents: What was read now; each stands for the file named by its `source`.
        chunks: All chunks of these documents.
        embedder: Has to be the one that made the index, unless `rebuild`.
        roots: Names of the sources given by the user (the first part of `Document.source`); stored documents under
            them that were not read again are deleted. Left out, the first parts of the documents' sources.
        sync: Delete every document that was not read now.
        rebuild: Embed everything again and write all files anew: for another embedder, or to compact.
        progress: Where the embedding is shown.

    Raises:
        IndexUnusable: Made by another embedder, or damaged.
        InputError: A chunk that is not a passage of one of the documents, or too long for the embedder.
        RunLocked: Another process is writing the index.
        StorageError: The disk is full or not writable.
    """
    by_document = _by_document(documents, chunks)
    if roots is None:
        roots = sorted({document.source.split("/", 1)[0] for document in documents})
    with versions.writing(folder):
        old = versions.current(folder)
        before = read_manifest(folder, old) if old else None
        if before and before.embedder != embedder.fingerprint and not rebuild:
            raise IndexUnusable(
                f"The index {folder} was made by the embedder {before.embedder}, not by {embedder.fingerprint}.",
                hint="Name that embedder, or delete the index and make it anew.",
            )
        work = versions.begin(folder)
        try:
            return _update(_Update(folder, old, before, work, embedder, rebuild), by_document, roots, sync, progress)
        except OSError as error:
            raise storage_error(error, work) from error
        finally:
            shutil.rmtree(work, ignore_errors=True)


class _Update:
    """One update under way."""

    def __init__(
        self,
        folder: Path,
        old: Path | None,
        before: IndexManifest | None,
        work: Path,
        embedder: Embedder,
        rebuild: bool,
    ) -> None:
        self.folder, self.old, self.before, self.work = folder, old, before, work
        self.embedder, self.rebuild = embedder, rebuild

    def embed(self, texts: Texts, progress: Progress) -> int:
        """Store the missing vectors and return how many were computed now, those of a dead writer not counted."""
        wanted = {str(key): _text(text) for key, text in texts.query(_MISSING)}
        kept = self.folder / f".embedded-{sha256(self.embedder.fingerprint)[:12]}.sqlite"
        with closing(Texts(kept, writable=True)) as pending:
            found = pending.vectors(wanted)
            texts.put_vectors(found)
            todo = [key for key in wanted if key not in found]
            with progress.task("embedding", len(todo), "passages") as task:
                for at in range(0, len(todo), _BATCH):
                    some = todo[at : at + _BATCH]
                    vectors = dict(zip(some, self.embedder.embed([wanted[key] for key in some]), strict=True))
                    pending.put_vectors(vectors)
                    pending.save()
                    texts.put_vectors(vectors)
                    task.advance(len(some))
        return len(todo)

    def write_vectors(self, texts: Texts, ids: Sequence[str], stored: Sequence[str]) -> int:
        """Write the dense arm and return how many removed vectors its files still hold."""
        removed = sorted(set(stored) - set(ids))
        worn = len(removed) + (self.before.removed if self.before else 0)
        place = self.work / CHROMA
        whole = self.old is None or self.rebuild or len(ids) <= _SMALL or worn > _WORN * len(ids)
        if not whole and self.old is not None:
            shutil.copytree(self.old / CHROMA, place)
            added = sorted(set(ids) - set(stored))
        else:
            removed, added, worn = [], list(ids), 0
        with closing(Vectors(place, create=whole)) as arm:
            arm.remove(removed)
            for at in range(0, len(added), _SMALL):
                some = added[at : at + _SMALL]
                vectors = texts.vectors_of(some)
                arm.add(some, np.stack([vectors[key] for key in some]))
        return worn


_MISSING = (
    "SELECT text_sha256, text FROM chunks WHERE text_sha256 NOT IN (SELECT text_sha256 FROM vectors)"
    " GROUP BY text_sha256 ORDER BY MIN(document_id), MIN(start)"
)


def _update(
    job: _Update,
    documents: Sequence[tuple[Document, list[Chunk]]],
    roots: Sequence[str],
    sync: bool,
    progress: Progress | None,
) -> IndexReport:
    if job.old is not None:
        shutil.copyfile(job.old / TEXTS, job.work / TEXTS)
    with closing(Texts(job.work / TEXTS, writable=True)) as texts:
        stored = texts.chunk_ids()
        counts = _apply(texts, documents, None if sync else roots)
        changed = counts["added"] + counts["updated"] + counts["deleted"] > 0 or job.rebuild or job.old is None
        if not changed and job.old is not None and job.before is not None:
            return IndexReport(version=job.old.name, **counts, documents=job.before.documents, chunks=job.before.chunks)
        if job.rebuild:
            texts.query("DELETE FROM vectors")
        texts.sweep()
        embedded = job.embed(texts, progress or Silent())
        texts.save(vacuum=True)
        ids = texts.chunk_ids()
        worn = job.write_vectors(texts, ids, stored)
        lexical.write(job.work / LEXICAL, _passages(texts, ids))
        held = len(set(texts.sources().values()))
    manifest = IndexManifest(
        embedder=job.embedder.fingerprint,
        dimensions=job.embedder.dimensions,
        documents=held,
        chunks=len(ids),
        files=file_hashes(job.work),
        removed=worn,
    )
    write_manifest(job.work, manifest)
    place = versions.publish(job.folder, job.work)
    for pending in job.folder.glob(".embedded-*.sqlite"):
        pending.unlink(missing_ok=True)
    return IndexReport(version=place.name, **counts, embedded=embedded, documents=held, chunks=len(ids))


def _apply(
    texts: Texts, documents: Sequence[tuple[Document, list[Chunk]]], roots: Sequence[str] | None
) -> dict[str, int]:
    """Write the changes; `roots` of None means every source."""
    counts = dict.fromkeys(("added", "updated", "deleted", "unchanged"), 0)
    stored = texts.sources()
    for document, chunks in documents:
        wanted = (document.title, [(chunk.id, json.dumps(chunk.heading_path)) for chunk in chunks])
        known = stored.get(document.source)
        if known == document.id and texts.layout(document.id) == wanted:
            counts["unchanged"] += 1
            continue
        counts["added" if known is None else "updated"] += 1
        texts.put(document, chunks)
    read = {document.source for document, _ in documents}
    gone = [source for source in stored if source not in read and (roots is None or _under(source, roots))]
    texts.remove_sources(gone)
    counts["deleted"] = len(gone)
    return counts


def _under(source: str, roots: Sequence[str]) -> bool:
    return any(source == root or source.startswith(root + "/") for root in roots)


def _by_document(documents: Sequence[Document], chunks: Sequence[Chunk]) -> list[tuple[Document, list[Chunk]]]:
    grouped: dict[str, tuple[Document, list[Chunk]]] = {document.id: (document, []) for document in documents}
    for chunk in chunks:
        document, own = grouped.get(chunk.document_id, (None, []))
        if document is None or document.text[chunk.span.start : chunk.span.end] != chunk.text:
            raise InputError(
                f"The chunk {chunk.id} is not a passage of any document given with it.",
                hint="Make documents and chunks again: doceo ingest SRC --fresh.",
            )
        own.append(chunk)
    return [
        (document, sorted(grouped[document.id][1], key=lambda chunk: (chunk.span.start, chunk.span.end)))
        for document in documents
    ]


def _passages(texts: Texts, ids: Sequence[str]) -> Iterable[tuple[str, str, str]]:
    for at in range(0, len(ids), _SMALL):
        some = ids[at : at + _SMALL]
        found = texts.chunks(some)
        for key in some:
            stored = found[key]
            yield key, heading_line(stored.title, stored.chunk.heading_path), stored.chunk.text


def _text(value: object) -> str:
    assert isinstance(value, bytes)
    return value.decode("utf-8", "surrogatepass")
