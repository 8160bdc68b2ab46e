"""Collections: indexes that belong to no run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from data.jsonl import read_json, write_json
from data.sources import find_files
from doceo.app.runs import COLLECTIONS, HOME, collection_folder, is_name
from doceo.app.settings import Settings
from doceo.app.stages.documents import nothing_readable, read_documents
from doceo.core.errors import IndexUnusable, InputError, UsageError
from doceo.core.protocols import Progress
from doceo.core.records import Chunk, Skipped
from rag import versions
from rag.index import Summary, delete, size, summary
from rag.indexing import CompactReport, IndexReport, compact, update

ROOTS = "roots.json"
"""Which folders a collection was made from: last name to whole path."""


@dataclass(frozen=True)
class Collection:
    """A collection as it is listed: what it holds, or else the problem and the way out of it."""

    name: str
    bytes: int
    holds: Summary | None = None
    problem: str = ""
    hint: str = ""


def index_collection(
    name: str, sources: Sequence[str], settings: Settings, progress: Progress, *, sync: bool
) -> tuple[IndexReport, list[Skipped]]:
    """Bring a collection up to date with sources. Raises UsageError, InputError, NothingReadable, IndexUnusable."""
    from doceo.app.parts import chunk_in_parts, engine_of, open_embedder_on, passages_at_once

    folder = collection_folder(name)
    embedder = open_embedder_on(settings.executor, settings.embedder)
    roots = {Path(source).expanduser().resolve().name: str(Path(source).expanduser().resolve()) for source in sources}
    known = _known_roots(folder)
    if not sync:
        _check_roots(known, roots)
    try:
        files = find_files(sources)
    except InputError as error:
        if gone := sorted(known.keys() & {Path(source).name for source in sources if not Path(source).exists()}):
            hint = f"To delete what was indexed from {gone[0]}, index the other sources with --sync."
            raise InputError(error.message, hint=f"{error.hint} {hint}") from error
        raise
    documents, skipped = read_documents(files, settings.read, progress, engine_of(embedder))
    chunks: list[Chunk] = []
    with progress.task("chunk", len(documents), "documents") as task:
        for cut in chunk_in_parts(documents, embedder, settings.chunk):
            chunks += cut
            task.advance(1, f"{len(chunks)} passages")
    if not documents and (files or versions.current(folder) is None):
        raise nothing_readable(sources, skipped)
    together = passages_at_once(embedder)
    report = update(
        folder, documents, chunks, embedder, roots=list(roots), sync=sync, progress=progress, at_once=together
    )
    held = {root: path for root, path in (roots if sync else {**known, **roots}).items() if root in report.roots}
    if held != known:
        write_json(folder / ROOTS, held)
        versions.private(folder / ROOTS)
    return report, skipped


def _known_roots(folder: Path) -> dict[str, str]:
    path = folder / ROOTS
    try:
        return TypeAdapter(dict[str, str]).validate_python(read_json(path)) if path.exists() else {}
    except (InputError, ValidationError) as error:
        raise IndexUnusable(
            f"The file {path}, which says where the documents of the collection come from, cannot be read.",
            hint="Delete the file, and index the same sources again.",
        ) from error


def _check_roots(known: dict[str, str], roots: dict[str, str]) -> None:
    """Raise UsageError where another folder of the same last name is in the collection: its documents would go."""
    for name, path in known.items():
        if roots.get(name, path) != path:
            raise UsageError(
                f"The collection holds {path}; {roots[name]} has the same last name, so it would take its place.",
                hint="Rename one of them, or replace everything with --sync.",
            )


def collections(home: Path = HOME) -> list[str]:
    """Return the names of all collections here."""
    folder = home / COLLECTIONS
    if not folder.is_dir():
        return []
    return sorted(path.name for path in folder.iterdir() if path.is_dir() and is_name(path.name))


def list_collections() -> list[Collection]:
    """Return all collections here, those that cannot be used among them."""
    return [_listed(name) for name in collections()]


def _listed(name: str) -> Collection:
    folder = collection_folder(name)
    try:
        holds = summary(folder)
    except IndexUnusable as error:
        return Collection(name, size(folder), problem=error.message, hint=error.hint)
    if holds is None:
        problem = "It was never finished, or is being deleted."
        return Collection(name, size(folder), problem=problem, hint=f"doceo collections --delete {name}")
    return Collection(name, holds.bytes, holds)


def compact_collection(name: str, progress: Progress) -> CompactReport:
    """Write the files of a collection anew, without what was deleted. Raises UsageError, IndexUnusable, RunLocked."""
    return compact(collection_folder(name), progress)


def delete_collection(name: str) -> None:
    """Delete a collection with all its versions. Raises UsageError, IndexUnusable, RunLocked."""
    delete(collection_folder(name))
