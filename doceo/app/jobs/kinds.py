"""All kinds of jobs."""

from __future__ import annotations

from doceo.app.jobs.evaluation import EVALUATION
from doceo.app.jobs.fine_tuning import FINE_TUNING
from doceo.app.jobs.generation import GENERATION
from doceo.app.jobs.index_job import INDEXING
from doceo.app.jobs.kind import Kind
from doceo.core.jobs import JobKind

KINDS: dict[JobKind, Kind] = {
    "fine_tuning": FINE_TUNING,
    "generation": GENERATION,
    "evaluation": EVALUATION,
    "indexing": INDEXING,
}
