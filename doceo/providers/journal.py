"""Every reply of a model, kept by what was asked: the same request is never paid for twice.

One SQLite file (write-ahead log), one row per request. A reply is committed before it is returned, so a process that
is killed repeats only what was in flight.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from doceo.core.errors import StorageError
from doceo.core.fingerprint import canonical, sha256
from doceo.core.records import ChatReply, ChatRequest, Usage
from doceo.providers.remote import RemoteProvider

_SCHEMA = """
CREATE TABLE IF NOT EXISTS replies (
    fingerprint TEXT PRIMARY KEY, model TEXT NOT NULL, request TEXT NOT NULL, reply TEXT NOT NULL
) WITHOUT ROWID
"""


def fingerprint(model: str, request: ChatRequest) -> str:
    """Return the key of a request: the model's name as the user wrote it and all that it is asked.

    The address is left out, so that a server may move. Fields that have their default are left out too, so that a
    new field of requests does not make old replies unfindable.
    """
    return sha256(canonical([model, request.model_dump(mode="json", exclude_defaults=True)]))


class Journaled:
    """A provider whose replies are kept. Safe for several threads and for a process that is killed.

    A request that is being answered for one thread is waited for by the others that ask the same.

    Args:
        provider: The provider behind.
        path: The SQLite file; made where it does not exist.

    Raises:
        StorageError: The file cannot be written, or is no journal.
    """

    def __init__(self, provider: RemoteProvider, path: Path) -> None:
        self.name = provider.name
        self.hits = 0
        self.misses = 0
        self._provider, self._path = provider, path
        self._lock = threading.Lock()
        self._in_flight: dict[str, threading.Event] = {}
        with self._guarded():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, timeout=30.0, check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode=WAL")
            # FULL: a paid reply outlives a power cut too, for one fsync a reply.
            self._connection.execute("PRAGMA synchronous=FULL")
            with self._connection:
                self._connection.execute(_SCHEMA)

    @property
    def host(self) -> str:
        """The host that receives the text of requests that are not in the journal."""
        return self._provider.host

    def complete(self, request: ChatRequest) -> ChatReply:
        """Return the kept reply, with a cost of 0, or ask the provider and keep what it says.

        Raises:
            ProviderError: The provider failed; failures are not kept.
            StorageError: The reply could not be written.
        """
        key = fingerprint(self.name, request)
        with self._turn(key) as kept:
            if kept is not None:
                return kept
            reply = self._provider.complete(request)
            self._keep(key, request, reply)
            return reply

    def stream(self, request: ChatRequest) -> Iterator[str]:
        """Yield the kept reply in one piece, or the provider's pieces, kept once they are complete."""
        key = fingerprint(self.name, request)
        with self._turn(key) as kept:
            if kept is not None:
                yield kept.text
                return
            pieces: list[str] = []
            for piece in self._provider.stream(request):
                pieces.append(piece)
                yield piece
            if text := "".join(pieces):
                self._keep(key, request, ChatReply(text=text))

    def spent(self) -> Usage:
        """Return what all kept replies of this model took together; the cost is None where one has no price."""
        with self._guarded(), self._lock:
            rows = self._connection.execute("SELECT reply FROM replies WHERE model = ?", (self.name,)).fetchall()
        usages = [ChatReply.model_validate_json(row[0]).usage for row in rows]
        costs = [usage.cost for usage in usages]
        return Usage(
            prompt_tokens=sum(usage.prompt_tokens for usage in usages),
            completion_tokens=sum(usage.completion_tokens for usage in usages),
            cached_tokens=sum(usage.cached_tokens for usage in usages),
            cost=None if None in costs else sum(cost for cost in costs if cost is not None),
            seconds=sum(usage.seconds for usage in usages),
        )

    def close(self) -> None:
        """Close the file; the log is written back into it."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _turn(self, key: str) -> Iterator[ChatReply | None]:
        """Give the kept reply, or None to the one caller that has to ask for it."""
        while True:
            with self._guarded(), self._lock:
                row = self._connection.execute("SELECT reply FROM replies WHERE fingerprint = ?", (key,)).fetchone()
                if row is not None:
                    self.hits += 1
                    break
                other = self._in_flight.get(key)
                if other is None:
                    self.misses += 1
                    mine = self._in_flight[key] = threading.Event()
                    break
            other.wait()
        if row is not None:
            reply = ChatReply.model_validate_json(row[0])
            yield reply.model_copy(update={"usage": reply.usage.model_copy(update={"cost": 0.0, "seconds": 0.0})})
            return
        try:
            yield None
        finally:
            with self._lock:
                del self._in_flight[key]
            mine.set()

    def _keep(self, key: str, request: ChatRequest, reply: ChatReply) -> None:
        row = (key, self.name, canonical(request), canonical(reply))
        with self._guarded(), self._lock, self._connection:
            self._connection.execute("INSERT OR IGNORE INTO replies VALUES (?, ?, ?, ?)", row)

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            if "full" in str(error):
                hint = "Free some space and run the same command again; every reply until now is kept."
                raise StorageError(f"The disk is full while writing {self._path}.", hint=hint) from error
            hint = "Check that the folder is yours to write; a file that is no journal has to be moved away."
            raise StorageError(f"Cannot use the journal {self._path}: {error}.", hint=hint) from error
        except OSError as error:
            hint = "Check that the folder exists and is yours to write."
            raise StorageError(f"Cannot write {self._path}: {error.strerror or error}.", hint=hint) from error
