"""Indexing jobs: one vector store brought to what its files say, after any change of them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

from doceo.app.jobs.kind import Kind, Outcome, Output, Step, Work
from doceo.app.jobs.queue import Queue
from doceo.app.store import Store
from doceo.app.store.attachments import ReadError
from doceo.core.jobs import Job, JobError


class IndexSpec(BaseModel):
    """Which vector store is to be indexed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vector_store: str


class IndexJobs:
    """Makes indexing jobs. Safe for several threads.

    Args:
        store: The database.
        queue: Where jobs wait for a worker.
    """

    def __init__(self, store: Store, queue: Queue) -> None:
        self._store, self._queue = store, queue

    def soon(self, vector_store: str) -> None:
        """Have a vector store indexed; what is wanted of it has to be written down already. Raises StorageError."""
        owner = self._store.owners.of_collection(vector_store)
        # one that nobody has begun yet will see what is written down now
        if owner is None or any(_of(job) == vector_store for job in self._store.jobs.waiting(owner, "indexing")):
            return
        spec = IndexSpec(vector_store=vector_store).model_dump()
        self._store.jobs.create(owner, "indexing", spec, self._queue.opened(), said="Created indexing job")

    def all(self) -> None:
        """Have every vector store indexed whose index is not as it should be. Raises StorageError."""
        for vector_store in self._store.vector_stores.unfinished():
            self.soon(vector_store)


def begin(work: Work) -> Sequence[Step]:
    """Return the command."""
    return [Step(("doceo.app.jobs.indexing", _of(work.job), str(work.host.home)))]


def finish(work: Work, outputs: Sequence[Output]) -> Outcome:
    """Return what came of it: nothing that the files do not say, so that nothing is left in its folder."""
    shutil.rmtree(work.place, ignore_errors=True)
    return Outcome({})


def failed(work: Work, error: JobError, validating: bool) -> JobError:
    """Note at the files that were to be indexed why they are not."""
    attachments, name = work.host.store.attachments, _of(work.job)
    waiting = [row.file for row in attachments.all(name) if row.status == "in_progress"]
    said = ReadError(code="server_error", message=error.message)
    attachments.failed(name, dict.fromkeys(waiting, said))
    return error


def _of(job: Job) -> str:
    return IndexSpec.model_validate(job.spec).vector_store


INDEXING = Kind(begin, finish, failed, began="Indexing job started")
