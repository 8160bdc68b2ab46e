"""Collections: indexes that belong to no run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import TypeAdapter

from data.chunking import chunk_document
from data.jsonl import read_json, write_json
from data.sources import find_files
from doceo.app.runs import COLLECTIONS, HOME, collection_folder, is_name
from doceo.app.settings import Settings
from doceo.app.stages.documents import nothing_readable, read_documents
from doceo.core.errors import UsageError
from doceo.core.protocols import Progress
from doceo.core.records import Chunk, Skipped
from rag import versions
from rag.index import delete, read_manifest
from rag.indexing import IndexReport, update

ROOTS = "roots.json"
"""Which folders a collection was made from: last name to whole path."""


def index_collection(
    name: str, sources: Sequence[str], settings: Settings, progress: Progress, *, sync: bool
) -> tuple[IndexReport, list[Skipped]]:
    """Bring a collection up to date with sources. Raises UsageError, InputError, NothingReadable, IndexUnusable."""
    from doceo.providers.embedders import open_embedder

    folder = collection_folder(name)
    embedder = open_embedder(settings.embedder)
    roots = {Path(source).expanduser().resolve().name: str(Path(source).expanduser().resolve()) for source in sources}
    if not sync:
        _check_roots(folder, roots)
    files = find_files(sources)
    documents, skipped = read_documents(files, settings.read, progress)
    chunks: list[Chunk] = []
    for document in documents:
        chunks += chunk_document(document, embedder, settings.chunk)
    if not documents and (files or versions.current(folder) is None):
        raise nothing_readable(sources, skipped)
    report = update(folder, documents, chunks, embedder, roots=list(roots), sync=sync, progress=progress)
    write_json(folder / ROOTS, roots if sync else {**_known_roots(folder), **roots})
    return report, skipped


def _known_roots(folder: Path) -> dict[str, str]:
    path = folder / ROOTS
    return TypeAdapter(dict[str, str]).validate_python(read_json(path)) if path.exists() else {}


def _check_roots(folder: Path, roots: dict[str, str]) -> None:
    """Raise UsageError where another folder of the same last name is in the collection: its documents would go."""
    for name, path in _known_roots(folder).items():
        if roots.get(name, path) != path:
            raise UsageError(
                f"The collection holds {path}; {roots[name]} has the same last name, so it would take its place.",
                hint="Rename one of them, or replace everything with --sync.",
            )


def collections() -> list[str]:
    """Return the names of all collections here."""
    home = HOME / COLLECTIONS
    return sorted(path.name for path in home.iterdir() if path.is_dir() and is_name(path.name)) if home.is_dir() else []


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
