"""Documents into an index: adds, updates and deletes as one new version; unchanged text is never embedded again."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from doceo.core.errors import IndexUnusable, InputError
from doceo.core.progress import Silent
from doceo.core.protocols import Embedder, Progress
from doceo.core.records import Chunk, Document, Record
from rag import pending, versions
from rag.building import BATCH, Build, writing_failures
from rag.index import size
from rag.manifest import check_embedder, read_manifest
from rag.new_texts import NewTexts, layout
from rag.texts import FILE as TEXTS


class IndexReport(Record):
    """What an update did: documents by what became of them, passages embedded now, and what the index holds.

    `roots` are the first parts of the sources that it holds documents of.
    """

    version: str
    added: int = 0
    updated: int = 0
    deleted: int = 0
    unchanged: int = 0
    embedded: int = 0
    documents: int = 0
    chunks: int = 0
    roots: tuple[str, ...] = ()


class CompactReport(Record):
    """What compacting did: bytes of the folder before and after, and how many deleted vectors went."""

    version: str
    before: int
    after: int
    removed: int


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
    at_once: int = BATCH,
) -> IndexReport:
    """Bring an index up to date with documents, making it where there is none.

    A process that dies leaves the version that was there; its vectors are used by the next update. Where a quarter of
    the vectors in Chroma's files are deleted ones, those files are written anew.

    Args:
        folder: The index.
        documents: What was read now; each stands for the file named by its `source`.
        chunks: All chunks of these documents.
        embedder: Has to be the one that made the index, unless `rebuild`.
        roots: Names of the sources given by the user (the first part of `Document.source`); stored documents under
            them that were not read again are deleted. Left out, the first parts of the documents' sources.
        sync: Delete every document that was not read now.
        rebuild: Embed everything again and write all files anew: for another embedder.
        progress: Where the work is shown.
        at_once: Passages that the embedder is given together.

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
        if before and not rebuild:
            check_embedder(folder, before, embedder.fingerprint)
        work = versions.begin(folder)
        build = Build(folder, old, before, work, rebuild=rebuild, progress=progress or Silent())
        with writing_failures(work):
            return _update(build, by_document, embedder, None if sync else roots, at_once)


def compact(folder: Path, progress: Progress | None = None) -> CompactReport:
    """Write every file of an index anew, so that nothing is left of what was deleted. No text is embedded.

    Raises IndexUnusable, RunLocked, StorageError.
    """
    if versions.current(folder) is None:
        raise IndexUnusable(f"There is no index at {folder}.", hint="`doceo collections` lists those there are.")
    with versions.writing(folder):
        old = versions.current(folder)
        if old is None:
            raise IndexUnusable(f"The index {folder} was deleted.", hint="`doceo collections` lists those there are.")
        before, bytes_before = read_manifest(folder, old), size(folder)
        work = versions.begin(folder)
        build = Build(folder, old, before, work, rebuild=True, progress=progress or Silent())
        with writing_failures(work):
            build.check_old()
            with closing(NewTexts(work / TEXTS, old / TEXTS)) as texts:
                texts.sweep()
                texts.finish()
                build.write(texts, texts.chunk_ids(), before.embedder, before.dimensions, before.documents)
            version = build.publish()
    return CompactReport(version=version, before=bytes_before, after=size(folder), removed=before.removed)


def _update(
    build: Build,
    documents: Sequence[tuple[Document, list[Chunk]]],
    embedder: Embedder,
    roots: Sequence[str] | None,
    at_once: int,
) -> IndexReport:
    old, before = build.old, build.before
    build.check_old()
    with closing(NewTexts(build.work / TEXTS, old / TEXTS if old is not None else None)) as texts:
        stored = texts.chunk_ids()
        counts = _apply(texts, documents, roots)
        held = texts.sources()
        report = IndexReport(
            version="", **counts, documents=len(set(held.values())), roots=tuple(sorted({_root(name) for name in held}))
        )
        changed = counts["added"] + counts["updated"] + counts["deleted"] > 0 or build.rebuild
        if not changed and old is not None and before is not None:
            pending.remove(build.folder)
            return report.model_copy(update={"version": old.name, "chunks": before.chunks})
        if counts["updated"] + counts["deleted"]:
            texts.sweep()
        if build.rebuild:
            texts.drop_vectors()
        new = counts["added"] + counts["updated"] > 0 or build.rebuild
        embedded = build.embed(texts, embedder, at_once) if new else 0
        texts.finish()
        made = build.write(texts, stored, embedder.fingerprint, embedder.dimensions, report.documents)
    version = build.publish()
    return report.model_copy(update={"version": version, "embedded": embedded, "chunks": made.chunks})


def _apply(
    texts: NewTexts, documents: Sequence[tuple[Document, list[Chunk]]], roots: Sequence[str] | None
) -> dict[str, int]:
    """Write the changes; `roots` of None means every source."""
    counts = dict.fromkeys(("added", "updated", "deleted", "unchanged"), 0)
    stored = texts.sources()
    for document, chunks in documents:
        known = stored.get(document.source)
        if known == document.id and texts.layout(document.id) == layout(document, chunks):
            counts["unchanged"] += 1
            continue
        counts["added" if known is None else "updated"] += 1
        texts.put(document, chunks)
    read = {document.source for document, _ in documents}
    named = None if roots is None else frozenset(roots)
    gone = [source for source in stored if source not in read and (named is None or _under(source, named))]
    if gone:
        texts.remove_sources(gone)
    counts["deleted"] = len(gone)
    return counts


def _under(source: str, roots: frozenset[str]) -> bool:
    """Say whether a source is one of the roots or lies under one: by its own parts, since roots can be thousands."""
    parts = source.split("/")
    return any("/".join(parts[:end]) in roots for end in range(1, len(parts) + 1))


def _root(source: str) -> str:
    return source.split("/", 1)[0]


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
