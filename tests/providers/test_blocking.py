from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import AsyncGenerator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from doceo.core.config import EngineConfig
from doceo.core.errors import ServerFailed
from doceo.core.records import ChatReply, ChatRequest, Message
from doceo.providers.blocking import Blocking, Threaded, asynchronous
from doceo.providers.chat import open_blocking
from doceo.providers.scripted import AsyncScripted, Scripted
from tests.providers.streamed import streamed

ROOT = Path(__file__).parents[2]


def ask(text: str = "?") -> ChatRequest:
    return ChatRequest(messages=(Message(role="user", content=text),))


class Talker(AsyncScripted):
    """Says numbers for ever, or fails after some."""

    def __init__(self, fails_after: int | None = None) -> None:
        super().__init__(Scripted([]))
        self.said, self.closed, self._fails_after = 0, threading.Event(), fails_after

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatReply, None]:
        try:
            while self.said != self._fails_after:
                self.said += 1
                yield str(self.said)
                await asyncio.sleep(0)
            raise ServerFailed("broken", hint="")
        finally:
            self.closed.set()


def test_many_threads_share_one_model(server: Any) -> None:
    server.script({"text": "{last}", "sleep": 0.05})
    provider = open_blocking("openai:m", base_url=server.address, engine=EngineConfig(concurrency=4))
    with ThreadPoolExecutor(16) as threads:
        replies = list(threads.map(lambda n: provider.complete(ask(str(n))).text, range(32)))
        streams = list(threads.map(lambda n: streamed(provider.stream(ask(str(n))))[1], range(8)))
    assert replies == [str(n) for n in range(32)]
    assert [(reply.text, reply.usage.prompt_tokens) for reply in streams] == [(str(n), 100) for n in range(8)]
    assert server.most_at_once() <= 4
    assert provider.host == f"127.0.0.1:{server.port}"
    assert provider.spent() is None
    provider.close()


def test_errors_come_through() -> None:
    provider = Blocking(Scripted([ServerFailed("down", hint="wait")]).asynchronous())
    with pytest.raises(ServerFailed, match="down"):
        provider.complete(ask())
    pieces = Blocking(Talker(fails_after=2)).stream(ask())
    assert [next(pieces), next(pieces)] == ["1", "2"]
    with pytest.raises(ServerFailed, match="broken"):
        next(pieces)


def test_a_reader_that_stops_closes_the_stream_and_is_never_far_behind() -> None:
    talker = Talker()
    pieces = Blocking(talker).stream(ask())
    assert [next(pieces) for _ in range(5)] == ["1", "2", "3", "4", "5"]
    time.sleep(0.2)
    assert talker.said <= 5 + 64 + 1
    pieces.close()  # type: ignore[attr-defined]  # a generator, seen as an iterator
    assert talker.closed.wait(5)


def test_a_process_ends_quietly_and_at_once(server: Any, tmp_path: Path) -> None:
    """Nothing was closed: neither warnings nor a wait at the end, and an interrupt stops a call that takes long."""
    code = (
        "import sys; from pathlib import Path\n"
        "from doceo.core.records import ChatRequest, Message\n"
        "from doceo.providers.chat import open_blocking\n"
        "model = open_blocking('openai:m', base_url=sys.argv[1], journal=Path(sys.argv[2]))\n"
        "for n in range(2): print(model.complete(ChatRequest(messages=(Message(role='user', content=str(n)),))).text,"
        " flush=True)\n"
    )
    command = [sys.executable, "-W", "default", "-c", code, server.address, str(tmp_path / "j.sqlite")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("hello\nhello\n", "")
    server.script({"text": "first"}, {"text": "late", "sleep": 30})
    (tmp_path / "j.sqlite").unlink()
    child = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        # A shell that runs the tests in the background has SIGINT ignored, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "first\n"
    time.sleep(0.3)
    start = time.monotonic()
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=20)
    assert time.monotonic() - start < 10
    assert "KeyboardInterrupt" in said
    assert "Unclosed" not in said


def test_threaded_lets_others_run_and_keeps_to_its_workers() -> None:
    active, most, lock = 0, 0, threading.Lock()

    def slow(request: ChatRequest) -> ChatReply:
        nonlocal active, most
        with lock:
            active += 1
            most = max(most, active)
        time.sleep(0.05)
        with lock:
            active -= 1
        return ChatReply(text=request.messages[0].content)

    async def play() -> tuple[list[ChatReply], int]:
        model = Threaded(Scripted(slow), workers=2)
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.01)
                ticks += 1

        ticking = asyncio.create_task(tick())
        replies = await asyncio.gather(*(model.complete(ask(str(n))) for n in range(8)))
        ticking.cancel()
        await model.aclose()
        return replies, ticks

    replies, ticks = asyncio.run(play())
    assert [reply.text for reply in replies] == [str(n) for n in range(8)]
    assert most == 2
    assert ticks > 5


class Writes:
    """A model of this process that writes slowly and notes when it is stopped."""

    name = "slow"

    def __init__(self) -> None:
        self.written, self.stopped = 0, False

    def complete(self, request: ChatRequest) -> ChatReply:
        return ChatReply(text="whole")

    def stream(self, request: ChatRequest) -> Iterator[str | ChatReply]:
        try:
            for _ in range(100):
                self.written += 1
                time.sleep(0.002)
                yield "word "
            yield ChatReply(text="word " * 100)
        finally:
            self.stopped = True


def test_a_local_stream_on_an_event_loop_ends_with_its_reader() -> None:
    model = Writes()
    face = asynchronous(model)

    async def whole() -> list[str | ChatReply]:
        return [piece async for piece in face.stream(ChatRequest(messages=()))]

    async def left() -> None:
        async with aclosing(face.stream(ChatRequest(messages=()))) as pieces:
            async for _ in pieces:
                return

    async def cancelled() -> None:
        task = asyncio.create_task(whole())
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    *pieces, reply = asyncio.run(whole())
    assert (len(pieces), isinstance(reply, ChatReply)) == (100, True)
    for leave in (left, cancelled):
        model.written, model.stopped = 0, False
        asyncio.run(leave())
        assert model.stopped
        assert model.written < 30
