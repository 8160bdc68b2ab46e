"""Every reply of a model, kept by what was asked: the same request is never paid for twice.

One SQLite file (write-ahead log), one row per request. A reply is committed before it is returned, so a process that
is killed repeats only what was in flight. Replies that come while the disk is busy are committed together (group
commit: Gawlick and Kinkade, "Varieties of Concurrency Control in IMS/VS Fast Path", 1985), by one writer in a thread of
its own; look-ups have a connection of their own and wait for no disk.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager, closing, contextmanager, nullcontext
from pathlib import Path

from doceo.core.errors import StorageError
from doceo.core.fingerprint import canonical, sha256
from doceo.core.records import ChatReply, ChatRequest, Usage
from doceo.providers.remote import AsyncRemote

_SCHEMA = """
CREATE TABLE IF NOT EXISTS replies (
    fingerprint TEXT PRIMARY KEY, model TEXT NOT NULL, request TEXT NOT NULL, reply TEXT NOT NULL
) WITHOUT ROWID
"""
Row = tuple[str, str, str, str]


def fingerprint(model: str, request: ChatRequest) -> str:
    """Return the key of a request: the model's name as the user wrote it and all that it is asked.

    The address is left out, so that a server may move. Fields that have their default are left out too, so that a
    new field of requests does not make old replies unfindable.
    """
    return _key(model, _asked(request))


def _asked(request: ChatRequest) -> str:
    return canonical(request.model_dump(mode="json", exclude_defaults=True))


def _key(model: str, asked: str) -> str:
    return sha256(f"[{canonical(model)},{asked}]")


class Journaled:
    """A provider whose replies are kept. Used from one event loop; safe for a process that is killed.

    A request that is being answered for one caller is waited for by the others that ask the same. The usage of a kept
    reply is what it took when it was made: an answer costs what it costs, however often it is read.

    Args:
        provider: The provider behind.
        path: The SQLite file; made where it does not exist.
        most: Most requests that are asked and whose replies are not on the disk yet; None for no limit. So many at most
            are repeated after a kill, however many callers there are.

    Attributes:
        hits: Requests that were answered from the file.
        misses: Requests that were asked.
        commits: Transactions, each of one or more replies.

    Raises:
        StorageError: The file cannot be written, or is no journal.
    """

    def __init__(self, provider: AsyncRemote, path: Path, most: int | None = None) -> None:
        self.name = provider.name
        self.hits = self.misses = self.commits = 0
        self._provider, self._path = provider, path
        self._open = asyncio.Semaphore(most) if most else nullcontext()
        self._in_flight: dict[str, asyncio.Future[None]] = {}
        self._waiting: list[tuple[Row, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        with guarded(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = sqlite3.connect(path, timeout=30.0, check_same_thread=False)
            self._writer.execute("PRAGMA journal_mode=WAL")
            # FULL: a paid reply outlives a power cut too, for one fsync a transaction.
            self._writer.execute("PRAGMA synchronous=FULL")
            with self._writer:
                self._writer.execute(_SCHEMA)
            self._reader = sqlite3.connect(path, timeout=30.0, check_same_thread=False)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")

    @property
    def host(self) -> str:
        """The host that receives the text of requests that are not in the journal."""
        return self._provider.host

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Return the kept reply, with a cost of 0, or ask the provider and keep what it says.

        Raises:
            ProviderError: The provider failed; failures are not kept.
            StorageError: The reply could not be written.
        """
        asked = _asked(request)
        key = _key(self.name, asked)
        async with self._turn(key) as kept:
            if kept is not None:
                return kept
            async with self._open:
                reply = await self._provider.complete(request)
                await self._keep(key, asked, reply)
            return reply

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatReply, None]:
        """Yield the kept reply's text in one piece and then the reply, or what the provider yields, kept once whole."""
        asked = _asked(request)
        key = _key(self.name, asked)
        async with self._turn(key) as kept:
            if kept is not None:
                yield kept.text
                yield kept
                return
            async with self._open, aclosing(self._provider.stream(request)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, ChatReply) and piece.text:
                        await self._keep(key, asked, piece)
                    yield piece

    def spent(self) -> Usage:
        """Return what all kept replies of this model took together; the cost is None where one has no price."""
        return spent_in(self._path, self.name)

    async def aclose(self) -> None:
        """Close the provider behind and the file; the log is written back into it."""
        await self._provider.aclose()
        if self._writing is not None:
            await self._writing
        self._thread.shutdown()
        self._reader.close()
        self._writer.close()

    @asynccontextmanager
    async def _turn(self, key: str) -> AsyncGenerator[ChatReply | None, None]:
        """Give the kept reply, or None to the one caller that has to ask for it."""
        while (kept := self._look_up(key)) is None and (other := self._in_flight.get(key)) is not None:
            await asyncio.shield(other)
        if kept is not None:
            self.hits += 1
            yield kept
            return
        self.misses += 1
        mine = self._in_flight[key] = asyncio.get_running_loop().create_future()
        try:
            yield None
        finally:
            del self._in_flight[key]
            mine.set_result(None)

    def _look_up(self, key: str) -> ChatReply | None:
        with guarded(self._path):
            row = self._reader.execute("SELECT reply FROM replies WHERE fingerprint = ?", (key,)).fetchone()
        if row is None:
            return None
        return ChatReply.model_validate_json(row[0])

    async def _keep(self, key: str, asked: str, reply: ChatReply) -> None:
        """Hand a reply to the writer and wait until it is on the disk."""
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(((key, self.name, asked, reply.model_dump_json()), kept))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        await kept

    async def _write(self) -> None:
        """Commit whatever waits, together, until nothing does."""
        loop = asyncio.get_running_loop()
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                try:
                    error = await loop.run_in_executor(self._thread, self._commit, [row for row, _ in batch])
                except BaseException:
                    for _, kept in batch:
                        kept.cancel()
                    raise
                for _, kept in batch:
                    if kept.done():
                        continue
                    if error is None:
                        kept.set_result(None)
                    else:
                        kept.set_exception(error)
        finally:
            self._writing = None

    def _commit(self, rows: list[Row]) -> StorageError | None:
        try:
            with guarded(self._path), self._writer:
                self._writer.executemany("INSERT OR IGNORE INTO replies VALUES (?, ?, ?, ?)", rows)
        except StorageError as error:
            return error
        self.commits += 1
        return None


def spent_in(path: Path, model: str | None = None) -> Usage:
    """Return what the kept replies of a journal took together, of one model or of all.

    The cost is None where a reply has no price. A file that does not exist holds nothing. Raises StorageError.
    """
    usages = _usages(path, model)
    costs = [usage.cost for usage in usages]
    return Usage(
        prompt_tokens=sum(usage.prompt_tokens for usage in usages),
        completion_tokens=sum(usage.completion_tokens for usage in usages),
        cached_tokens=sum(usage.cached_tokens for usage in usages),
        cost=None if None in costs else sum(cost for cost in costs if cost is not None),
        seconds=sum(usage.seconds for usage in usages),
    )


def known_cost(path: Path) -> float:
    """Return the USD that the kept replies of a journal cost, as far as they have a price. Raises StorageError."""
    return sum(usage.cost for usage in _usages(path, None) if usage.cost is not None)


def _usages(path: Path, model: str | None) -> list[Usage]:
    if not path.exists():
        return []
    query = "SELECT reply FROM replies WHERE ? IS NULL OR model = ?"
    with guarded(path), closing(sqlite3.connect(path, timeout=30.0)) as file:
        return [ChatReply.model_validate_json(row[0]).usage for row in file.execute(query, (model, model))]


@contextmanager
def guarded(path: Path) -> Iterator[None]:
    """Turn the errors of SQLite and of the file system, raised in the block, into StorageError."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        if "full" in str(error):
            hint = "Free some space and run the same command again; every reply until now is kept."
            raise StorageError(f"The disk is full while writing {path}.", hint=hint) from error
        hint = "Check that the folder is yours to write; a file that is no journal has to be moved away."
        raise StorageError(f"Cannot use the journal {path}: {error}.", hint=hint) from error
    except OSError as error:
        hint = "Check that the folder exists and is yours to write."
        raise StorageError(f"Cannot write {path}: {error.strerror or error}.", hint=hint) from error
