"""A real HTTP server in its own process, scripted by each test."""

from __future__ import annotations

import asyncio
import json
import selectors
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass
class ChatServer:
    port: int

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def script(self, *steps: dict[str, Any]) -> None:
        body = json.dumps(list(steps)).encode()
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/script", body, timeout=10):
            pass

    def seen(self) -> list[dict[str, Any]]:
        return self._state()["requests"]

    def bodies(self) -> list[dict[str, Any]]:
        return [request["body"] for request in self.seen()]

    def most_at_once(self) -> int:
        return self._state()["most"]

    def _state(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/seen", timeout=10) as reply:
            return json.load(reply)


@pytest.fixture(scope="session")
def server_process() -> Iterator[ChatServer]:
    script = Path(__file__).with_name("scripted_server.py")
    child = subprocess.Popen([sys.executable, "-S", str(script)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        yield ChatServer(int(child.stdout.readline()))
    finally:
        child.kill()
        child.wait()
        child.stdout.close()


@pytest.fixture
def server(server_process: ChatServer) -> ChatServer:
    server_process.script({"text": "hello"})
    return server_process


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer instead of waiting for it. Nothing may wait for the world."""

    def __init__(self) -> None:
        super().__init__(Leaping(self))
        self.now = 0.0

    def time(self) -> float:
        return self.now


class Leaping(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._of = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        assert timeout is not None, "everything waits, and for nothing that could come"
        self._of.now += max(0.0, timeout)
        return super().select(0)


Run = Callable[[Callable[[VirtualLoop], Coroutine[Any, Any, Any]]], Any]


@pytest.fixture
def virtually() -> Run:
    """Run `play(loop)` in virtual time: hours pass at once, and the same order of events comes each time."""

    def run(play: Callable[[VirtualLoop], Coroutine[Any, Any, Any]]) -> Any:
        loop = VirtualLoop()
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            return runner.run(play(loop))

    return run
