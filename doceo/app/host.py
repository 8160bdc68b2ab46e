"""What a running service works with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from doceo.app.assistant import Assistants
from doceo.app.runs import HOME
from doceo.app.settings import Settings
from doceo.app.store import Store, open_store

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
        """The database, made where there is none. Raises StorageError, ConfigError, MissingExtra."""
        return open_store(self.settings.database_url)

    @property
    def files(self) -> Path:
        """The folder of uploaded files, each under its id."""
        return self.home / FILES

    @property
    def jobs(self) -> Path:
        """The folder of jobs, each under its id."""
        return self.home / JOBS
