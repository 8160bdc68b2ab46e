"""The store: conversations and profiles of every owner in one database."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable

from doceo.app.store.conversations import Conversations
from doceo.app.store.engine import Database
from doceo.app.store.places import address
from doceo.app.store.profiles import Profiles
from doceo.app.store.schema import HEAD, upgrade, version

LOCAL = "local"
"""The owner of what the command line keeps."""


class Store:
    """Conversations and profiles. Safe for several threads and processes.

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
        self._database = database
        self.conversations = Conversations(database, clock, ids)
        self.profiles = Profiles(database, clock, ids)

    @property
    def place(self) -> str:
        """The file or the address, without a password."""
        return self._database.place

    def forget(self, owner: str) -> None:
        """Delete everything of an owner: conversations, summaries, profile. Raises StorageError."""
        self.conversations.delete_all(owner)
        self.profiles.delete_all(owner)

    def close(self) -> None:
        """Let go of the database."""
        self._database.close()


def open_store(
    url: str = "",
    *,
    clock: Callable[[], float] = time.time,
    ids: Callable[[], str] = lambda: secrets.token_hex(8),
) -> Store:
    """Open the store at an address, the default file where none is given, and bring its tables up to date.

    Raises ConfigError, MissingExtra, StorageError.
    """
    database = Database(address(url))
    with database.reading() as connection:
        current = version(connection) == HEAD
    if not current:
        with database.writing() as connection:
            upgrade(connection, database.place)
    return Store(database, clock=clock, ids=ids)
