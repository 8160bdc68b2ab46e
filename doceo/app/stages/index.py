"""The run's own index: its documents, searchable by meaning and by word."""

from __future__ import annotations

from pathlib import Path

from data.store import Run
from doceo.app.stages.documents import Ingested
from doceo.core.errors import IndexOutdated
from doceo.core.protocols import Progress
from rag.index import delete
from rag.indexing import IndexReport, update


def index_run(run: Run, ingested: Ingested, embedder: str, progress: Progress) -> IndexReport:
    """Bring the run's index to exactly the run's documents; one that an older program made is made anew."""
    try:
        return index_documents(run.index, ingested, embedder, progress, sync=True)
    except IndexOutdated as error:
        progress.say(f"{error.message} It is made anew from the run's documents.")
        delete(run.index)
        return index_documents(run.index, ingested, embedder, progress, sync=True)


def index_documents(folder: Path, ingested: Ingested, embedder: str, progress: Progress, *, sync: bool) -> IndexReport:
    """Add and update documents in an index; what vanished from under a named source is deleted."""
    from doceo.providers.embedders import open_embedder

    return update(folder, ingested.documents, ingested.chunks, open_embedder(embedder), sync=sync, progress=progress)
