"""Limits: requests in a minute, tokens in a day, bytes of a body, seconds of a request."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from fastapi import Request
from fastapi.responses import StreamingResponse
from hypothesis import given, settings
from hypothesis import strategies as st

from doceo.app.host import Host
from doceo.app.store.usage import DAY
from doceo.core.config import ServiceConfig
from doceo.core.errors import StorageError
from doceo.service.access import Callers, MayChat
from doceo.service.http import create_app
from doceo.service.limits import Limits, network
from doceo.service.meter import Metered
from doceo.service.refusals import Refusal
from tests.service.serving import client_of, host_in, plain, serving

WEB = plain()


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    limits = {"max_body_mb": 1, "max_upload_mb": 2, "body_seconds": 0.2}
    return host_in(tmp_path_factory.mktemp("home"), service=limits)


@pytest.fixture(scope="module")
def address(host: Host) -> Iterator[str]:
    with serving(metered(host), header_seconds=0.2) as found:
        yield found


def metered(host: Host) -> Any:
    """Return the application with a route that uses ten tokens, and one that reads its body."""
    app = create_app(host)

    @app.post("/try/ask", include_in_schema=False)
    async def ask(meter: Metered, caller: MayChat) -> dict[str, str]:
        meter.used("quote", 4, 6)
        return {}

    @app.post("/try/read", include_in_schema=False)
    async def read(request: Request, caller: MayChat) -> dict[str, int]:
        return {"bytes": len(await request.body())}

    return app


def made(host: Host, **limits: Any) -> tuple[str, str]:
    key, secret = host.store.keys.create("ana", "test", ("chat",), **limits)
    return key.id, secret


def test_requests_in_a_minute(address: str, host: Host) -> None:
    _, secret = made(host, requests_per_minute=3)
    client = client_of(address, secret)
    left = [client.models.with_raw_response.list().headers["x-ratelimit-remaining-requests"] for _ in range(3)]
    assert left == ["2", "1", "0"]
    with pytest.raises(openai.RateLimitError) as caught:
        client.models.list()
    assert caught.value.code == "rate_limit_exceeded"
    headers = caught.value.response.headers
    assert 55 <= int(headers["retry-after"]) <= 60
    assert (headers["x-ratelimit-limit-requests"], headers["x-ratelimit-remaining-requests"]) == ("3", "0")
    assert client_of(address, made(host)[1]).models.list()


def test_tokens_in_a_day(address: str, host: Host) -> None:
    name, secret = made(host, tokens_per_day=20)
    auth = {"Authorization": f"Bearer {secret}"}
    replies = [WEB.post(f"{address}/try/ask", headers=auth) for _ in range(3)]
    assert [reply.status_code for reply in replies] == [200, 200, 429]
    assert [reply.headers["x-ratelimit-remaining-tokens"] for reply in replies] == ["20", "10", "0"]
    assert replies[2].json()["error"]["code"] == "insufficient_quota"
    assert 0 < int(replies[2].headers["retry-after"]) <= DAY
    # what does not ask a model goes on
    assert WEB.get(f"{address}/v1/models", headers=auth).status_code == 200
    # another process over the same database knows of it
    with serving(metered(Host(host.settings, host.assistants, host.home))) as other:
        deadline = time.monotonic() + 5
        while WEB.post(f"{other}/try/ask", headers=auth).status_code != 429:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    used = host.store.usage.all(int(time.time() // DAY))[name]
    assert used.prompt_tokens + used.completion_tokens >= 20


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["a", "b"]), st.integers(0, 9), st.integers(0, 9), st.booleans())))
def test_what_is_spent_is_written_once(
    tmp_path_factory: pytest.TempPathFactory, spent: list[tuple[str, int, int, bool]]
) -> None:
    host = host_in(tmp_path_factory.mktemp("spent"))
    limits = Limits(host, ServiceConfig())
    for key, prompt, completion, flushed in spent:
        limits.spend(key, prompt, completion)
        if flushed:
            limits.flush()
    limits.flush()
    for key in ("a", "b"):
        total = sum(prompt + completion for name, prompt, completion, _ in spent if name == key)
        assert host.store.usage.tokens(key, int(time.time() // DAY)) == total


def test_what_cannot_be_written_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = host_in(tmp_path)
    limits, add = Limits(host, ServiceConfig()), host.store.usage.add

    def full(amounts: Any) -> None:
        raise StorageError("The disk is full.", hint="Free some space.")

    limits.spend("a", 1, 2)
    monkeypatch.setattr(host.store.usage, "add", full)
    with pytest.raises(StorageError):
        limits.flush()
    monkeypatch.setattr(host.store.usage, "add", add)
    limits.spend("a", 3, 4)
    limits.flush()
    assert host.store.usage.tokens("a", int(time.time() // DAY)) == 10


def chunks(sent: list[int], count: int) -> Iterator[bytes]:
    for _ in range(count):
        sent.append(65536)
        yield b"x" * 65536


def test_a_body_is_cut_at_the_limit(address: str, host: Host) -> None:
    auth = {"Authorization": f"Bearer {made(host)[1]}"}
    whole = WEB.post(f"{address}/try/read", content=b"x" * (1 << 20), headers=auth)
    assert whole.json() == {"bytes": 1 << 20}
    named = WEB.post(f"{address}/try/read", content=b"x" * ((1 << 20) + 1), headers=auth)
    assert (named.status_code, named.json()["error"]["code"]) == (413, "too_large")
    # 3 GB without a length: no more of it is taken than the limit and what is on the way
    sent: list[int] = []
    counted = WEB.post(f"{address}/try/read", content=chunks(sent, 3 * 2**30 // 65536), headers=auth)
    assert (counted.status_code, counted.json()["error"]["code"]) == (413, "too_large")
    assert sum(sent) < 64 << 20


def test_an_unknown_path_takes_no_endless_body(address: str, host: Host) -> None:
    auth, sent = {"Authorization": f"Bearer {made(host)[1]}"}, list[int]()
    reply = WEB.post(f"{address}/v1/nothing", content=chunks(sent, 3 * 2**30 // 65536), headers=auth)
    assert reply.status_code == 404
    assert sum(sent) < 64 << 20
    closed = WEB.post(f"{address}/try/read", content=chunks(sent, 3 * 2**30 // 65536))
    assert closed.status_code == 401
    assert sum(sent) < 128 << 20


def until_closed(address: str, *pieces: bytes, seconds: float) -> tuple[bytes, float]:
    """Send pieces with pauses; return what came back, and after how many seconds the connection was closed."""
    start, got = time.monotonic(), b""
    with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))) as connection:
        connection.settimeout(seconds)
        for piece in pieces:
            try:
                connection.sendall(piece)
                time.sleep(0.05)
            except OSError:
                break
        try:
            while block := connection.recv(4096):
                got += block
        except ConnectionResetError:
            pass
    return got, time.monotonic() - start


def test_a_slow_head_is_dropped(address: str) -> None:
    slow = [b"GET /v1/models HTTP/1.1\r\n", *[b"X-A: b\r\n"] * 30]
    got, seconds = until_closed(address, *slow, seconds=5)
    assert got == b""
    assert seconds < 2
    got, seconds = until_closed(address, seconds=5)
    assert (got, seconds < 2) == (b"", True)


def test_a_slow_second_head_is_dropped_too(address: str) -> None:
    first = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    got, seconds = until_closed(address, first, *[b"GET /healthz"[at : at + 1] for at in range(12)], seconds=5)
    assert got.count(b"HTTP/1.1 200") == 1
    assert seconds < 2


def test_an_endless_head_is_dropped(address: str) -> None:
    got, seconds = until_closed(address, b"GET /healthz HTTP/1.1\r\n", b"X-A: " + b"b" * 200_000, seconds=5)
    assert b"200" not in got
    assert seconds < 2


def test_a_slow_body_is_dropped(address: str, host: Host) -> None:
    secret = made(host)[1]
    head = f"POST /try/read HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {secret}\r\nContent-Length: 100\r\n\r\n"
    got, seconds = until_closed(address, head.encode(), *[b"x"] * 20, seconds=5)
    assert got.startswith(b"HTTP/1.1 408")
    assert seconds < 3


def test_who_still_sends_gets_the_whole_answer_and_no_second_one(address: str, host: Host) -> None:
    secret = made(host)[1]
    head = f"POST /try/read HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {secret}\r\nContent-Length: {2**31}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", int(address.rpartition(":")[2]))) as connection:
        connection.settimeout(5)
        connection.sendall(head.encode())
        time.sleep(0.3)
        for _ in range(64):  # 4 MB, long after it was refused
            connection.sendall(b"x" * 65536)
        got = b""
        while block := connection.recv(4096):
            got += block
    assert got.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in got.lower()
    assert got.count(b"HTTP/1.1") == 1
    assert got.endswith(b"}}")


def test_a_reader_that_stops_reading_is_dropped(tmp_path: Path) -> None:
    app, ended = create_app(host_in(tmp_path)), threading.Event()

    @app.get("/try/endless", include_in_schema=False)
    async def endless(caller: MayChat) -> StreamingResponse:
        async def blocks() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield b"x" * 65536
                    await asyncio.sleep(0)
            finally:
                ended.set()

        return StreamingResponse(blocks())

    with serving(app, unread_seconds=0.15) as address:
        port = int(address.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"GET /try/endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
            # as long as it is read it goes on
            until, got = time.monotonic() + 0.25, 0
            while time.monotonic() < until:
                got += len(connection.recv(65536))
            assert got > 65536
            assert not ended.is_set()
            assert ended.wait(5)


def test_what_is_spent_counts_while_it_is_written(tmp_path: Path) -> None:
    host = host_in(tmp_path)
    key, _ = host.store.keys.create("ana", "test", ("chat",), tokens_per_day=20)
    limits, add = Limits(host, ServiceConfig()), host.store.usage.add

    async def left() -> str:
        return (await limits.tokens(key))["x-ratelimit-remaining-tokens"]

    async def work() -> list[str]:
        found = [await left()]
        limits.spend(key.id, 4, 6)
        meanwhile: list[str] = []

        def slow(amounts: Any) -> None:
            meanwhile.append(asyncio.run_coroutine_threadsafe(left(), loop).result(5))
            add(amounts)

        loop, host.store.usage.__dict__["add"] = asyncio.get_running_loop(), slow
        await asyncio.to_thread(limits.flush)
        del host.store.usage.__dict__["add"]
        return [*found, *meanwhile, await left()]

    # the last two within the second in which the database is not asked again
    assert asyncio.run(work()) == ["20", "10", "10"]


def test_wrong_keys_of_a_network_are_looked_up_so_often_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host, asked, waits = host_in(tmp_path), list[str](), list[Any]()
    find = host.store.keys.find
    monkeypatch.setattr(host.store.keys, "find", lambda secret: asked.append(secret) or find(secret))
    _, early = made(host)
    _, late = made(host)

    async def work() -> None:
        callers = Callers(host, Limits(host, ServiceConfig()), keyless=False)

        async def status(secret: str, address: str) -> int:
            try:
                await callers.of(f"Bearer {secret}", address)
            except Refusal as refusal:
                waits.append((refusal.headers or {}).get("Retry-After"))
                return refusal.status_code
            return 200

        assert await status(early, "2001:db8::1") == 200
        tried = await asyncio.gather(*(status(f"dk-{n}", f"2001:db8::{n:x}") for n in range(100)))
        assert (tried.count(401), tried.count(429)) == (60 + over(tried), 40 - over(tried))
        assert len(asked) == 1 + tried.count(401)
        assert all(int(wait) > 0 for wait in waits if wait)
        assert len([wait for wait in waits if wait]) == tried.count(429)
        # who has shown a right one goes on, and so does everybody elsewhere
        assert await status(early, "2001:db8::1") == 200
        assert await status(late, "2001:db8::1") == 429
        assert await status(late, "2001:db8:0:1::1") == 200

    def over(tried: list[int]) -> int:
        """Those that were being looked up when the limit was reached."""
        assert 0 <= tried.count(401) - 60 < 4
        return tried.count(401) - 60

    asyncio.run(work())


def test_refusals_that_show_no_key_are_noted_so_often_and_no_more(tmp_path: Path) -> None:
    async def noted(*refused: tuple[str, str]) -> int:
        return sum([await limits.worth_noting(*one) for one in refused])

    async def work() -> None:
        assert await noted(*[("", f"2001:db8::{n:x}") for n in range(50)]) == 30
        assert await noted(*[("", f"2001:db8:0:{n:x}::1") for n in range(1, 200)]) == 70
        assert await noted(*[("key_1", "10.0.0.1")] * 50) == 30

    limits = Limits(host_in(tmp_path), ServiceConfig())
    asyncio.run(work())


def test_networks() -> None:
    assert network("10.1.2.3") == network("::ffff:10.1.2.3") == "10.1.2.3"
    assert network("2001:db8::1") == network("2001:db8::ffff:0:0:1") != network("2001:db8:0:1::1")
    assert network("testclient") == "testclient"
