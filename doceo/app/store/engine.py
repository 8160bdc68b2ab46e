"""From an address to a database: SQLite in a file of its own mode, or PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from sqlite3 import Connection as SQLiteConnection
from sqlite3 import Error as SQLiteError
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, DataError, DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from data.jsonl import storage_error
from doceo.core.errors import ConfigError, InputError, MissingExtra, StorageError
from doceo.text.surrogates import without_surrogates

_WAIT = 15.0
"""Seconds that one writer waits for another."""
_DELETED = "doceo_deleted"


class Database:
    """An open database. Safe for several threads and processes.

    Attributes:
        place: Its file or address, without a password, for people to read.
    """

    def __init__(self, url: str, *, scrub_later: bool = False) -> None:
        """Open a database; a file is made on the first need. With `scrub_later` its owner calls `scrub` now and then.

        Raises ConfigError for an address that cannot be used, MissingExtra where the driver is not installed,
        StorageError where the file cannot be made.
        """
        address, self._later = _address(url), scrub_later
        self.file = Path(address.database) if address.get_backend_name() == "sqlite" and address.database else None
        self.place = str(self.file) if self.file else address.render_as_string(hide_password=True)
        if self.file is not None:
            _make_private(self.file)
            self._engine = create_engine(address, poolclass=NullPool, connect_args={"timeout": _WAIT})
            event.listen(self._engine, "connect", _prepare)
            event.listen(self._engine, "begin", _begin)
        else:
            self._engine = create_engine(address, pool_pre_ping=True, connect_args={"connect_timeout": int(_WAIT)})

    @property
    def engine(self) -> Engine:
        """SQLAlchemy's engine."""
        return self._engine

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that reads. Raises StorageError."""
        with self._mapped(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that writes: all of it is kept, or nothing. Raises StorageError."""
        connected = self._engine.execution_options(doceo_writes=True)
        with self._mapped(), connected.begin() as connection:
            yield connection
            deleted = connection.info.pop(_DELETED, False)
        if deleted and not self._later:
            self.scrub()

    def mark_deleted(self, connection: Connection) -> None:
        """Have nothing stay of rows that a writing transaction has deleted: see `scrub`.

        SQLite's file is marked within it, so that what a process that dies leaves undone is done by the next one.
        """
        if self.file is not None:
            connection.exec_driver_sql(f"PRAGMA user_version = {_mark(_driver(connection)) + 1}")
            connection.info[_DELETED] = True

    def scrub(self) -> None:
        """Leave nothing of deleted rows in SQLite's file, where any were deleted since. Raises StorageError.

        Deleted cells are overwritten with zeros (`secure_delete`), but copies of rows that once moved from one page
        to another can stay behind in the unused part of a page: the file is written anew. PostgreSQL frees the space
        of deleted rows by its own vacuum.
        """
        if self.file is None:
            return
        with self._mapped(), self._engine.connect() as connection:
            driver = _driver(connection)
            mark = _mark(driver)
            if not mark:
                return
            driver.execute("VACUUM")
            driver.execute("BEGIN IMMEDIATE")
            if _mark(driver) == mark:  # nothing was deleted meanwhile
                driver.execute("PRAGMA user_version = 0")
            driver.execute("COMMIT")

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    @contextmanager
    def _mapped(self) -> Iterator[None]:
        try:
            yield
        except DataError as error:
            raise InputError("The database cannot hold a value that was given.", hint=_NO_ZERO) from error
        except DBAPIError as error:
            raise self._error(str(error.orig)) from error
        except (SQLAlchemyError, SQLiteError) as error:
            raise self._error(str(error)) from error
        except OSError as error:
            raise storage_error(error, self.file or Path(self.place)) from error

    def _error(self, said: str) -> StorageError:
        for words, message, hint in _KNOWN:
            if words in said:
                return StorageError(message.format(place=self.place), hint=hint, retryable=words == _LOCKED)
        if self.file is not None:
            return StorageError(f"{self.place} cannot be used: {said}.", hint=_DAMAGED)
        return StorageError(
            f"The database {self.place} cannot be used: {' '.join(said.split())[:300].rstrip('?.')}.",
            hint="Check that the server runs, and the address, user and password in DOCEO_DATABASE_URL.",
            retryable=True,
        )


def inserted(connection: Connection, table: Table, row: dict[str, Any]) -> bool:
    """Insert a row unless a unique value of it is taken already; return whether it was inserted."""
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    # The drivers do not agree on what they count of such an insert.
    key = next(iter(table.primary_key))
    return (
        connection.execute(dialect.insert(table).values(row).on_conflict_do_nothing().returning(key)).first()
        is not None
    )


def storable(text: str) -> str:
    """Return a text as any database can hold it: without lone surrogates and the character 0."""
    return without_surrogates(text).replace("\0", "\ufffd")


_LOCKED = "database is locked"
_NO_ZERO = "PostgreSQL has no character 0, and numbers have limits."
_DAMAGED = "Move the file away; a new one is made then. What it held can be read with: sqlite3 FILE .recover"
_KNOWN = (
    ("disk is full", "The disk is full while writing {place}.", "Free some space and try again."),
    (_LOCKED, "Another process keeps {place} locked.", "Wait for it to end, or end it."),
    ("malformed", "{place} is damaged.", _DAMAGED),
    ("not a database", "{place} is no database of Doceo.", _DAMAGED),
    ("readonly database", "{place} cannot be written.", "Check that the file and its folder are yours to write."),
    ("unable to open", "{place} cannot be opened.", "Check that the file and its folder are yours to write."),
)


def _address(url: str) -> URL:
    try:
        address = make_url(url)
        address.get_dialect()
    except (ArgumentError, NoSuchModuleError) as error:
        # `postgres://` is what many hosts hand out; SQLAlchemy knows the long name only.
        if url.startswith("postgres://"):
            return _address("postgresql://" + url.removeprefix("postgres://"))
        raise _unusable() from error
    except ModuleNotFoundError as error:
        if address.get_backend_name() != "postgresql":
            raise _unusable() from error
    if address.get_backend_name() == "postgresql":
        if find_spec("psycopg") is None:
            raise MissingExtra("psycopg", extra="postgres", purpose="A PostgreSQL database")
        return address.set(drivername="postgresql+psycopg")
    if address.get_backend_name() != "sqlite" or not address.database or address.database == ":memory:":
        raise _unusable()
    return address


def _unusable() -> ConfigError:
    # The address itself is not shown: it may hold a password.
    return ConfigError(
        "The address of the database cannot be used.",
        hint="DOCEO_DATABASE_URL is sqlite:///FILE, or postgresql://USER:PASSWORD@HOST/DATABASE.",
    )


def _driver(connection: Connection) -> SQLiteConnection:
    found = connection.connection.driver_connection
    assert isinstance(found, SQLiteConnection)
    return found


def _mark(driver: SQLiteConnection) -> int:
    """Return how often something was deleted since the file was scrubbed; a number that SQLite has for its users."""
    return int(driver.execute("PRAGMA user_version").fetchone()[0])


def _make_private(file: Path) -> None:
    """Make a database's file, readable by its owner only. Raises StorageError."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise storage_error(error, file) from error


def _prepare(connection: SQLiteConnection, record: object) -> None:
    # sqlite3 would begin transactions by itself, and not before reading or making tables: see `_begin`.
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA temp_store = MEMORY")


def _begin(connection: Connection) -> None:
    # A writer takes its place in the queue at once: one that has read first could not wait for another any more.
    writes = connection.get_execution_options().get("doceo_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
