"""All kinds of jobs."""

from __future__ import annotations

from doceo.app.jobs.evaluation import EVALUATION
from doceo.app.jobs.fine_tuning import CHECKING, FINE_TUNING
from doceo.app.jobs.generation import GENERATION
from doceo.app.jobs.index_job import INDEXING
from doceo.app.jobs.kind import Kind
from doceo.core.jobs import Job, JobKind

KINDS: dict[JobKind, Kind] = {
    "fine_tuning": FINE_TUNING,
    "generation": GENERATION,
    "evaluation": EVALUATION,
    "indexing": INDEXING,
}


def to_do(job: Job) -> Kind:
    """Return what is to be done for a job now: its work, or the check of its files before it waits for its turn."""
    return CHECKING if job.status == "validating_files" else KINDS[job.kind]
