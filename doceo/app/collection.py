"""Collections: indexes that belong to no run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from data.chunking import chunk_document
from data.reader import read_files
from data.sources import find_files
from doceo.app.runs import COLLECTIONS, HOME, collection_folder
from doceo.app.settings import Settings
from doceo.core.errors import NothingReadable
from doceo.core.protocols import Progress
from doceo.core.records import Chunk, Document, Skipped
from rag import versions
from rag.index import delete, read_manifest
from rag.indexing import IndexReport, update


def index_collection(
    name: str, sources: Sequence[str], settings: Settings, progress: Progress, *, sync: bool
) -> tuple[IndexReport, list[Skipped]]:
    """Bring a collection up to date with sources. Raises UsageError, InputError, NothingReadable, IndexUnusable."""
    from doceo.providers.embedders import open_embedder

    folder = collection_folder(name)
    embedder = open_embedder(settings.embedder)
    documents: list[Document] = []
    skipped: list[Skipped] = []
    chunks: list[Chunk] = []
    files = find_files(sources)
    with progress.task("read", total=len(files), unit="files") as task:
        for record in read_files(files, settings.read):
            task.advance(1, record.source)
            if isinstance(record, Skipped):
                skipped.append(record)
                continue
            documents.append(record)
            chunks += chunk_document(record, embedder, settings.chunk)
    if files and not documents:
        reasons = "; ".join(f"{s.source}: {s.reason} ({s.detail})" for s in skipped[:5])
        raise NothingReadable(
            f"No document could be read. {reasons}.", hint="Doceo reads .md .txt .html .htm .pdf .docx .epub files."
        )
    roots = [Path(source).expanduser().resolve().name for source in sources]
    return update(folder, documents, chunks, embedder, roots=roots, sync=sync, progress=progress), skipped


def collections() -> list[str]:
    """Return the names of all collections here."""
    home = HOME / COLLECTIONS
    return sorted(path.name for path in home.iterdir() if path.is_dir()) if home.is_dir() else []


def collection_sizes() -> list[tuple[str, int, int]]:
    """Return (name, documents, passages) of every collection that can be read."""
    sizes = []
    for name in collections():
        folder = collection_folder(name)
        if (version := versions.current(folder)) is not None:
            held = read_manifest(folder, version)
            sizes.append((name, held.documents, held.chunks))
    return sizes


def delete_collection(name: str) -> None:
    """Delete a collection with all its versions. Raises UsageError, IndexUnusable, RunLocked."""
    delete(collection_folder(name))
