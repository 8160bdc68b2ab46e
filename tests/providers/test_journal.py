from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Coroutine
from contextlib import aclosing
from pathlib import Path
from typing import Any, TypeVar

import pytest

from doceo.core.errors import ServerFailed, StorageError
from doceo.core.records import ChatReply, ChatRequest, Message, Usage
from doceo.providers.journal import Journaled, fingerprint, known_cost, spent_in
from doceo.providers.scripted import NAME, AsyncScripted, Scripted
from tests.providers.streamed import streamed

T = TypeVar("T")
ROOT = Path(__file__).parents[2]


def ask(text: str, **options: Any) -> ChatRequest:
    return ChatRequest(messages=(Message(role="user", content=text),), **options)


def journaled(play: Callable[[Journaled], Coroutine[Any, Any, T]], inner: Any, path: Path) -> T:
    """Open a journal, do something with it in an event loop, close it."""

    async def go() -> T:
        journal = Journaled(inner if not isinstance(inner, Scripted) else inner.asynchronous(), path)
        async with aclosing(journal):
            return await play(journal)

    return asyncio.run(go())


def test_a_reply_is_paid_once(tmp_path: Path) -> None:
    paid = ChatReply(text="a", finish="length", usage=Usage(prompt_tokens=9, completion_tokens=2, cost=0.5, seconds=3))
    inner = Scripted([paid])
    path = tmp_path / "run" / "journal.sqlite"

    async def twice(journal: Journaled) -> None:
        assert await journal.complete(ask("q")) == paid
        again = await journal.complete(ask("q"))
        assert (again.text, again.finish) == ("a", "length")
        assert again.usage == paid.usage
        assert (journal.hits, journal.misses, len(inner.requests)) == (1, 1, 1)
        assert journal.spent().cost == 0.5

    journaled(twice, inner, path)
    assert journaled(lambda journal: journal.complete(ask("q")), Scripted([]), path).text == "a"
    assert (spent_in(path).cost, spent_in(path, "openai:other").cost) == (0.5, 0)


def test_journals_of_earlier_versions_are_read(tmp_path: Path) -> None:
    """The key and the row of version 0.1, literally."""
    path = tmp_path / "journal.sqlite"
    key = "32ec16c8e330db9f50ec87896c81d2dd1b7928006a292941cab32c606eca7e5e"
    with sqlite3.connect(path) as file:
        file.execute(
            "CREATE TABLE replies (fingerprint TEXT PRIMARY KEY, model TEXT NOT NULL, request TEXT NOT NULL, "
            "reply TEXT NOT NULL) WITHOUT ROWID"
        )
        row = '{"finish":"stop","text":"old","usage":{"prompt_tokens":3}}'
        file.execute("INSERT INTO replies VALUES (?, ?, ?, ?)", (key, NAME, "{}", row))
    file.close()
    assert fingerprint(NAME, ask("q")) == key
    assert journaled(lambda journal: journal.complete(ask("q")), Scripted([]), path).text == "old"


def test_unknown_costs_stay_unknown(tmp_path: Path) -> None:
    async def two(journal: Journaled) -> None:
        await journal.complete(ask("1"))
        await journal.complete(ask("2"))
        assert journal.spent().cost is None

    journaled(two, Scripted(["a", ChatReply(text="b", usage=Usage(cost=1.0))]), tmp_path / "j.sqlite")
    assert spent_in(tmp_path / "j.sqlite").cost is None
    assert known_cost(tmp_path / "j.sqlite") == 1.0
    assert (spent_in(tmp_path / "none.sqlite").cost, known_cost(tmp_path / "none.sqlite")) == (0.0, 0.0)


@pytest.mark.parametrize(
    "changed",
    [{"temperature": 0.1}, {"max_tokens": 7}, {"seed": 1}, {"stop": ("x",)}, {"form": {"type": "object"}}],
)
def test_every_parameter_counts(changed: dict[str, Any]) -> None:
    assert fingerprint("openai:m", ask("q", **changed)) != fingerprint("openai:m", ask("q"))
    assert fingerprint("openai:m", ask("q")) != fingerprint("ollama:m", ask("q"))
    assert fingerprint("openai:m", ask("q")) == fingerprint("openai:m", ask("q", temperature=0.0))


def test_failures_are_not_kept(tmp_path: Path) -> None:
    async def fail(journal: Journaled) -> None:
        with pytest.raises(ServerFailed):
            await journal.complete(ask("q"))
        assert (await journal.complete(ask("q"))).text == "up"

    journaled(fail, Scripted([ServerFailed("down", hint=""), "up"]), tmp_path / "j.sqlite")


def test_streams_are_kept_when_they_are_whole(tmp_path: Path) -> None:
    async def read(journal: Journaled) -> None:
        left = journal.stream(ask("q"))
        assert await anext(left) == "a "
        await left.aclose()
        assert streamed([part async for part in journal.stream(ask("q"))]) == (["d ", "e ", "f"], paid)
        assert journal.spent().cost == 0.5
        pieces, reply = streamed([part async for part in journal.stream(ask("q"))])
        assert pieces == ["d e f"]
        assert (reply.finish, reply.usage.cost, reply.usage.prompt_tokens, reply.usage.cached_tokens) == (
            "length", 0.5, 9, 4,
        )  # fmt: skip
        assert await journal.complete(ask("q")) == reply

    usage = Usage(prompt_tokens=9, completion_tokens=3, cached_tokens=4, cost=0.5, seconds=3)
    paid = ChatReply(text="d e f", finish="length", usage=usage)
    journaled(read, Scripted(["a b c", paid]), tmp_path / "j.sqlite")


class Slow(AsyncScripted):
    """Answers after a moment."""

    async def complete(self, request: ChatRequest) -> ChatReply:
        await asyncio.sleep(0.02)
        return await super().complete(request)


def test_the_same_is_asked_once_at_a_time(tmp_path: Path) -> None:
    inner = Slow(Scripted(lambda request: request.messages[0].content.upper()))

    async def many(journal: Journaled) -> list[ChatReply]:
        return await asyncio.gather(*(journal.complete(ask(f"q{n % 5}")) for n in range(80)))

    replies = journaled(many, inner, tmp_path / "j.sqlite")
    assert [reply.text for reply in replies] == [f"Q{n % 5}" for n in range(80)]
    assert len(inner.requests) == 5


@pytest.mark.parametrize("how", ["fails", "is cancelled"])
def test_one_who_waits_takes_over_when_the_first_one_ends_without(tmp_path: Path, how: str) -> None:
    inner = Slow(Scripted([ServerFailed("down", hint=""), "up"] if how == "fails" else ["up"]))

    async def two(journal: Journaled) -> None:
        first = asyncio.create_task(journal.complete(ask("q")))
        second = asyncio.create_task(journal.complete(ask("q")))
        await asyncio.sleep(0.01)
        if how == "is cancelled":
            first.cancel()
        ended = await asyncio.gather(first, second, return_exceptions=True)
        assert isinstance(ended[0], ServerFailed | asyncio.CancelledError)
        assert isinstance(ended[1], ChatReply)

    journaled(two, inner, tmp_path / "j.sqlite")


def test_replies_that_come_together_are_committed_together(tmp_path: Path) -> None:
    async def many(journal: Journaled) -> int:
        await asyncio.gather(*(journal.complete(ask(str(n))) for n in range(1000)))
        return journal.commits

    assert journaled(many, Slow(Scripted(lambda _: "a")), tmp_path / "j.sqlite") < 20


def test_a_kept_reply_does_not_wait_for_the_disk(tmp_path: Path) -> None:
    """While the writer is held up, kept replies come at once; the others wait for it."""

    async def read(journal: Journaled) -> None:
        await journal.complete(ask("old"))
        gate = threading.Event()
        commit = journal._commit
        journal._commit = lambda rows: (gate.wait(10), commit(rows))[1]  # type: ignore[method-assign]
        new = asyncio.create_task(journal.complete(ask("new")))
        await asyncio.sleep(0.05)
        assert (await asyncio.wait_for(journal.complete(ask("old")), 1)).text == "a"
        assert not new.done()
        gate.set()
        assert (await new).text == "a"

    journaled(read, Scripted(lambda _: "a"), tmp_path / "j.sqlite")


def test_a_file_that_is_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_text("this is not a database, it is a text that is long enough to be looked at" * 20)
    with pytest.raises(StorageError, match=r"journal\.sqlite"):
        Journaled(Scripted([]).asynchronous(), path)
    with pytest.raises(StorageError):
        Journaled(Scripted([]).asynchronous(), path / "below" / "journal.sqlite")
    with pytest.raises(StorageError):
        spent_in(path)


def test_a_full_disk_is_said_to_all_that_wait(tmp_path: Path) -> None:
    async def fill(journal: Journaled) -> None:
        journal._writer.execute("PRAGMA max_page_count = 4")
        ended = await asyncio.gather(*(journal.complete(ask(str(n))) for n in range(3)), return_exceptions=True)
        assert [str(error) for error in ended] == [f"The disk is full while writing {tmp_path / 'j.sqlite'}."] * 3

    journaled(fill, Scripted(lambda _: "x" * 100_000), tmp_path / "j.sqlite")


CHILD = textwrap.dedent("""
    import asyncio, sys
    from pathlib import Path
    from doceo.core.config import EngineConfig
    from doceo.core.records import ChatRequest, Message
    from doceo.providers.chat import open_chat

    async def main():
        provider = open_chat("openai:m", base_url=sys.argv[1], api_key="k", journal=Path(sys.argv[2]),
                             engine=EngineConfig(concurrency=4))
        requests = [ChatRequest(messages=(Message(role="user", content=f"question {n}"),)) for n in range(60)]
        for work in [asyncio.create_task(provider.complete(request)) for request in requests]:
            print((await work).text, flush=True)
        await provider.aclose()

    asyncio.run(main())
""")


def test_kill_nine_repeats_only_what_was_in_flight(server: Any, tmp_path: Path) -> None:
    server.script({"text": "reply to {last}", "sleep": 0.05})
    path = tmp_path / "journal.sqlite"
    command = [sys.executable, "-c", CHILD, server.address, str(path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    first = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert first.stdout is not None
    said = [first.stdout.readline() for _ in range(20)]
    first.send_signal(signal.SIGKILL)
    first.wait()
    first.stdout.close()
    asked_before = len(server.seen())
    with sqlite3.connect(path) as file:
        kept = file.execute("SELECT count(*) FROM replies").fetchone()[0]
    assert 20 <= kept <= asked_before < 60
    second = subprocess.run(command, capture_output=True, text=True, env=environment, check=True, timeout=60)
    lines = second.stdout.splitlines()
    assert lines == [f"reply to question {n}" for n in range(60)]
    assert [line.strip() for line in said] == lines[:20]
    repeated = len(server.seen()) - 60
    assert 0 <= repeated <= 4
    assert len(server.seen()) == asked_before + 60 - kept


def test_no_more_are_open_than_may_be_whoever_asks(tmp_path: Path) -> None:
    """A request counts until its reply is on the disk: a kill repeats no more than that, however many callers wait."""
    open_now, most = [0], [0]

    class Counting(AsyncScripted):
        async def complete(self, request: ChatRequest) -> ChatReply:
            open_now[0] += 1
            most[0] = max(most[0], open_now[0])
            await asyncio.sleep(0.001)
            return ChatReply(text="a")

    async def go() -> None:
        journal = Journaled(Counting(Scripted([])), tmp_path / "j.sqlite", most=4)
        commit = journal._commit

        def committed(rows: list[Any]) -> Any:
            open_now[0] -= len(rows)
            return commit(rows)

        journal._commit = committed  # type: ignore[method-assign]
        async with aclosing(journal):
            await asyncio.gather(*(journal.complete(ask(str(n))) for n in range(60)))

    asyncio.run(go())
    assert most[0] == 4
