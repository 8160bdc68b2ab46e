"""What a running service works with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from doceo.app.assistants import Assistants
from doceo.app.jobs.queue import Queue
from doceo.app.runs import HOME
from doceo.app.searches import Searches
from doceo.app.settings import Settings
from doceo.app.store import Store, open_store
from doceo.app.uploads import Uploads

if TYPE_CHECKING:
    from doceo.app.jobs.index_job import IndexJobs

FILES, JOBS = ".files", ".jobs"


@dataclass(frozen=True)
class Host:
    """The service's parts. Safe for threads.

    Args:
        settings: What it runs with.
        assistants: The models that it serves.
        home: The folder of runs, collections, uploaded files and jobs.
    """

    settings: Settings
    assistants: Assistants
    home: Path = HOME

    @cached_property
    def store(self) -> Store:
        """The database, made where there is none; housekeeping scrubs it.

        Raises StorageError, ConfigError, MissingExtra.
        """
        return open_store(self.settings.database_url, scrub_later=True)

    @cached_property
    def queue(self) -> Queue:
        """Where jobs wait for a worker."""
        return Queue(self.store.database)

    @property
    def files(self) -> Path:
        """The folder of uploaded files, each under its id."""
        return self.home / FILES

    @cached_property
    def uploads(self) -> Uploads:
        """Uploaded files and files that jobs made, with their bytes."""
        return Uploads(self.store.files, self.files)

    @cached_property
    def searches(self) -> Searches:
        """Searches over collections, without a model."""
        return Searches(self.settings, self.home, self.assistants.indexes)

    @cached_property
    def indexing(self) -> IndexJobs:
        """Has vector stores indexed."""
        from doceo.app.jobs.index_job import IndexJobs

        return IndexJobs(self.store, self.queue)

    @property
    def jobs(self) -> Path:
        """The folder of jobs, each under its id."""
        return self.home / JOBS
