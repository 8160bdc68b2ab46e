"""The store: what every owner keeps, and the jobs and keys of the service, in one database."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from doceo.app.store.attachments import Attachments
from doceo.app.store.audit import Audit
from doceo.app.store.batches import Batches
from doceo.app.store.conversations import Conversations
from doceo.app.store.engine import Database
from doceo.app.store.files import Files
from doceo.app.store.job_events import JobEvents
from doceo.app.store.job_leases import JobLeases
from doceo.app.store.jobs import Jobs
from doceo.app.store.keys import Keys
from doceo.app.store.models import Models
from doceo.app.store.owners import Owners
from doceo.app.store.places import address
from doceo.app.store.profiles import Profiles
from doceo.app.store.schema import HEAD, upgrade, version
from doceo.app.store.usage import Usage
from doceo.app.store.vector_stores import VectorStores
from doceo.app.store.workers import Workers

LOCAL = "local"
"""The owner of what the command line keeps."""


class Store:
    """All that is kept. Safe for several threads and processes.

    Args:
        database: The open database.
        clock: Seconds since 1970, UTC.
        ids: Makes ids that nobody can guess.
    """

    def __init__(
        self,
        database: Database,
        *,
        clock: Callable[[], float] = time.time,
        ids: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self._database, self.clock = database, clock
        self.conversations = Conversations(database, clock, ids)
        self.profiles = Profiles(database, clock, ids)
        self.files = Files(database, clock, ids)
        self.vector_stores = VectorStores(database, clock, ids)
        self.attachments = Attachments(database, clock, ids)
        self.batches = Batches(database)
        self.keys = Keys(database, clock, ids)
        self.owners = Owners(database)
        self.jobs = Jobs(database, clock, ids)
        self.job_events = JobEvents(database)
        self.leases = JobLeases(database, clock)
        self.workers = Workers(database)
        self.models = Models(database, clock)
        self.usage = Usage(database)
        self.audit = Audit(database, clock, ids)

    @property
    def database(self) -> Database:
        """The database itself."""
        return self._database

    @property
    def place(self) -> str:
        """The file or the address, without a password."""
        return self._database.place

    def forget(self, owner: str) -> None:
        """Delete all rows of an owner but those of the audit log; what lies elsewhere: `doceo.app.forgetting`.

        Raises StorageError.
        """
        self.owners.forget(owner, self.clock())

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()


def open_store(
    url: str = "",
    *,
    clock: Callable[[], float] = time.time,
    ids: Callable[[], str] = lambda: secrets.token_hex(8),
    scrub_later: bool = False,
) -> Store:
    """Open the store at an address, the default file where none is given, and bring its tables up to date.

    What is deleted leaves nothing in SQLite's file once `Database.scrub` has run: at once, or with `scrub_later` when
    it is called.

    Raises ConfigError, MissingExtra, StorageError.
    """
    database = Database(address(url), scrub_later=scrub_later)
    with database.reading() as connection:
        current = version(connection) == HEAD
    if not current:
        with database.writing() as connection:
            upgrade(connection, database.place)
    return Store(database, clock=clock, ids=ids)
