"""The run's own index: its documents, searchable by meaning and by word."""

from __future__ import annotations

from functools import partial

from data.store import Run
from doceo.app.engine import LOCAL
from doceo.app.parts import open_embedder_on, passages_at_once
from doceo.app.stages.documents import Ingested
from doceo.core.errors import IndexOutdated
from doceo.core.protocols import Progress
from rag.index import delete
from rag.indexing import IndexReport, update


def index_run(run: Run, ingested: Ingested, embedder: str, progress: Progress, executor: str = LOCAL) -> IndexReport:
    """Bring the run's index to exactly the run's documents; one that an older program made is made anew."""
    opened = open_embedder_on(executor, embedder)
    bring = partial(update, run.index, sync=True, progress=progress, at_once=passages_at_once(opened))
    try:
        return bring(ingested.documents, ingested.chunks, opened)
    except IndexOutdated as error:
        progress.say(f"{error.message} It is made anew from the run's documents.")
        delete(run.index)
        return bring(ingested.documents, ingested.chunks, opened)
