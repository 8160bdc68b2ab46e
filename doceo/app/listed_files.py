"""Documents of files that are called otherwise than their paths."""

from __future__ import annotations

from pathlib import Path

from data.sources import listed_files
from data.store import Run
from doceo.app.parts import open_embedder_on
from doceo.app.settings import Settings
from doceo.app.stages.documents import Ingested, ingest_files
from doceo.core.protocols import Progress


def read_listed(run: Run, file: Path, settings: Settings, progress: Progress) -> Ingested:
    """Return documents and chunks of the files that a list names, see `data.sources.listed_files`.

    Raises InputError, NothingReadable, StorageError.
    """
    embedder = open_embedder_on(settings.executor, settings.embedder)
    return ingest_files(run, listed_files(file), [str(file)], settings.read, settings.chunk, embedder, progress)
