"""Stages 1 and 2: files to documents, documents to chunks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from data.jsonl import read_jsonl, write_jsonl
from data.loaders import known_endings
from data.manifest import file_sha256
from data.private import Redactor
from data.sources import SourceFile, find_files
from data.store import CHUNKS, DOCUMENTS, Run
from doceo.app.engine import HERE, Engine
from doceo.app.parts import chunk_in_parts, engine_of, read_in_parts
from doceo.core.config import ChunkConfig, ReadConfig
from doceo.core.errors import NothingReadable
from doceo.core.protocols import Embedder, Progress
from doceo.core.records import Chunk, Document, Skipped

PACKAGES = (
    "doceo", "pypdfium2", "markitdown", "python-pptx", "openpyxl", "docutils", "striprtf", "charset-normalizer",
    "py3langid", "tokenizers",
)  # fmt: skip


@dataclass(frozen=True)
class Ingested:
    """What a run has read; `kept_out` remembers what `pairs.held_out` found, by what it depends on."""

    documents: list[Document]
    skipped: list[Skipped]
    chunks: list[Chunk]
    kept_out: dict[tuple[object, ...], frozenset[str]] = field(default_factory=dict, compare=False, repr=False)


def ingest(
    run: Run, sources: Sequence[str], read: ReadConfig, chunk: ChunkConfig, embedder: Embedder, progress: Progress
) -> Ingested:
    """Read the sources and cut them into chunks. Raises InputError, NothingReadable, StorageError."""
    return ingest_files(run, find_files(sources), sources, read, chunk, embedder, progress)


def ingest_files(
    run: Run,
    files: Sequence[SourceFile],
    named: Sequence[str],
    read: ReadConfig,
    chunk: ChunkConfig,
    embedder: Embedder,
    progress: Progress,
) -> Ingested:
    """Read files and cut them into chunks; `named` is what they are called together. Raises as `ingest`."""
    inputs = {file.source: _hash(file.path) for file in files}
    stage = run.stage(DOCUMENTS, config=[read], inputs=inputs, packages=PACKAGES)
    if not stage.finished:
        with stage.making() as work:
            documents, skipped = read_documents(files, read, progress, engine_of(embedder))
            if not documents:
                raise nothing_readable(named, skipped)
            write_jsonl(work / "documents.jsonl", documents)
            write_jsonl(work / "skipped.jsonl", skipped)
    _chunk(run, chunk, embedder, progress)
    return load_ingested(run)


def read_documents(
    files: Sequence[SourceFile], config: ReadConfig, progress: Progress, engine: Engine = HERE
) -> tuple[list[Document], list[Skipped]]:
    """Return what files hold, private data replaced where that is asked for, and the files that gave no document."""
    documents: dict[str, Document] = {}
    skipped: list[Skipped] = []
    redactor = Redactor() if config.redact else None
    with progress.task("ingest", total=len(files), unit="files") as task:
        for record in read_in_parts(engine, files, config):
            task.advance(1, record.source)
            read = redactor.redacted(record) if redactor is not None and isinstance(record, Document) else record
            if isinstance(read, Skipped):
                skipped.append(read)
            elif (twin := documents.setdefault(read.id, read)) is not read:
                # Two letters that differ in an address alone are one text once it is replaced.
                detail = f"the same text as {twin.source}"
                skipped.append(Skipped(source=read.source, reason="duplicate", detail=detail))
    if redactor is not None:
        counts = ", ".join(f"{n} {kind}" for kind, n in sorted(redactor.counts.items()))
        progress.say(f"Private data replaced: {counts or 'none found'}.")
    return list(documents.values()), skipped


def _hash(path: Path) -> str:
    """Return a file's hash; one that cannot be opened has none, and the reader says why."""
    try:
        return file_sha256(path)
    except OSError:
        return ""


def load_ingested(run: Run) -> Ingested:
    """Return what a run has read. Raises StageMissing where it has not."""
    return Ingested(
        documents=read_jsonl(run.file(DOCUMENTS, "documents.jsonl"), Document),
        skipped=read_jsonl(run.file(DOCUMENTS, "skipped.jsonl"), Skipped),
        chunks=read_jsonl(run.file(CHUNKS, "chunks.jsonl"), Chunk),
    )


def _chunk(run: Run, config: ChunkConfig, embedder: Embedder, progress: Progress) -> None:
    source = run.file(DOCUMENTS, "documents.jsonl")
    stage = run.stage(CHUNKS, config=[config], inputs=[source], packages=PACKAGES)
    if stage.finished:
        return
    documents = read_jsonl(source, Document)
    chunks: list[Chunk] = []
    with stage.making() as work, progress.task("chunk", total=len(documents), unit="documents") as task:
        for cut in chunk_in_parts(documents, embedder, config):
            chunks += cut
            task.advance(1, f"{len(chunks)} chunks")
        write_jsonl(work / "chunks.jsonl", chunks)


def nothing_readable(sources: Sequence[str], skipped: Sequence[Skipped]) -> NothingReadable:
    """Return the error for sources that gave no document, with the reasons."""
    reasons = "; ".join(f"{s.source}: {s.reason} ({s.detail})" for s in skipped[:5])
    more = f"; and {len(skipped) - 5} more" if len(skipped) > 5 else ""
    return NothingReadable(
        f"No document could be read from {', '.join(sources)}. {reasons or 'There are no files in it'}{more}.",
        hint=f"Doceo reads {known_endings()}.",
    )
