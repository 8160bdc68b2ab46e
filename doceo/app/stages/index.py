"""The run's own index: its documents, searchable by meaning and by word."""

from __future__ import annotations

from data.store import Run
from doceo.app.stages.documents import Ingested
from doceo.core.errors import IndexOutdated
from doceo.core.protocols import Progress
from rag.index import delete
from rag.indexing import IndexReport, update


def index_run(run: Run, ingested: Ingested, embedder: str, progress: Progress) -> IndexReport:
    """Bring the run's index to exactly the run's documents; one that an older program made is made anew."""
    from doceo.providers.embedders import open_embedder

    opened = open_embedder(embedder)
    try:
        return update(run.index, ingested.documents, ingested.chunks, opened, sync=True, progress=progress)
    except IndexOutdated as error:
        progress.say(f"{error.message} It is made anew from the run's documents.")
        delete(run.index)
        return update(run.index, ingested.documents, ingested.chunks, opened, sync=True, progress=progress)
