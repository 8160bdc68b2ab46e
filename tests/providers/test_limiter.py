from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from doceo.core.errors import (
    AuthenticationFailed,
    DoceoError,
    ModelNotFound,
    RateLimited,
    ReplyInvalid,
    RequestRejected,
    ServerFailed,
    Unreachable,
)
from doceo.core.records import ChatReply, ChatRequest, Message
from doceo.providers.limiter import Limited, Patience
from doceo.providers.openai_chat import OpenAIChat
from doceo.providers.scripted import Scripted

ASK = ChatRequest(messages=(Message(role="user", content="?"),))


class Time:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now


def limited(replies: Any, clock: Time, **options: Any) -> tuple[Limited, Scripted]:
    inner = Scripted(replies)
    return Limited(inner, sleep=clock.sleep, clock=clock.clock, random=lambda: 1.0, **options), inner


def down(retry_after: float | None = None) -> ServerFailed:
    return ServerFailed("down", hint="wait", retry_after=retry_after)


def test_backoff_doubles_up_to_its_bound() -> None:
    clock = Time()
    patience = Patience(tries=8, first_tries=8, base=1.0, longest=10.0)
    provider, _ = limited([*[down() for _ in range(6)], "ok"], clock, patience=patience)
    assert provider.complete(ASK).text == "ok"
    assert clock.slept == [1, 2, 4, 8, 10, 10]
    assert (provider.calls, provider.retries) == (7, 6)


def test_jitter_is_full() -> None:
    clock = Time()
    inner = Scripted([down(), "ok"])
    Limited(inner, sleep=clock.sleep, clock=clock.clock, random=lambda: 0.25).complete(ASK)
    assert clock.slept == [0.125]


def test_retry_after_is_honoured() -> None:
    clock = Time()
    provider, _ = limited([RateLimited("slow", hint="", retry_after=7.0), "ok"], clock)
    provider.complete(ASK)
    assert sum(clock.slept) >= 7.0
    assert sum(clock.slept) < 8.0


def test_a_retry_after_of_hours_is_told_at_once() -> None:
    clock = Time()
    provider, _ = limited([RateLimited("slow", hint="", retry_after=7200.0), "ok"], clock)
    with pytest.raises(RateLimited):
        provider.complete(ASK)
    assert clock.slept == []


@pytest.mark.parametrize("kind", [AuthenticationFailed, ModelNotFound, RequestRejected, ReplyInvalid])
def test_never_retried(kind: type[DoceoError]) -> None:
    clock = Time()
    provider, inner = limited([kind("no", hint=""), "ok"], clock)
    with pytest.raises(kind):
        provider.complete(ASK)
    assert len(inner.requests) == 1


def test_a_server_that_never_answered_is_given_up_sooner() -> None:
    clock = Time()
    provider, inner = limited([Unreachable("gone", hint="") for _ in range(9)], clock)
    with pytest.raises(Unreachable):
        provider.complete(ASK)
    assert len(inner.requests) == 3
    clock = Time()
    provider, inner = limited(["ok", *[Unreachable("gone", hint="") for _ in range(9)]], clock)
    provider.complete(ASK)
    with pytest.raises(Unreachable):
        provider.complete(ASK)
    assert len(inner.requests) == 1 + 6


def test_a_dead_server_gives_one_error_soon() -> None:
    clock = Time()
    patience = Patience(tries=3, first_tries=3, failures=6, rest=30.0)
    provider, inner = limited(lambda _: (_ for _ in ()).throw(down()), clock, patience=patience)
    for _ in range(50):
        with pytest.raises(ServerFailed, match="down"):
            provider.complete(ASK)
    assert len(inner.requests) == 6
    with pytest.raises(ServerFailed, match="6 failures in a row"):
        provider.complete(ASK)


def test_a_server_that_comes_back_is_asked_again() -> None:
    clock = Time()
    patience = Patience(tries=3, first_tries=3, failures=3, rest=30.0)
    provider, _ = limited([down(), down(), down(), "back", "again"], clock, patience=patience)
    with pytest.raises(ServerFailed):
        provider.complete(ASK)
    with pytest.raises(ServerFailed):
        provider.complete(ASK)
    clock.now += 31
    assert provider.complete(ASK).text == "back"
    assert provider.complete(ASK).text == "again"


def test_stream_is_retried_only_before_its_first_piece() -> None:
    clock = Time()
    provider, _ = limited([down(), "a b"], clock)
    assert list(provider.stream(ASK)) == ["a ", "b"]

    class Breaking(Scripted):
        def stream(self, request: ChatRequest) -> Any:
            yield "a "
            raise down()

    breaking = Limited(Breaking([]), sleep=clock.sleep, clock=clock.clock)
    pieces = breaking.stream(ASK)
    assert next(pieces) == "a "
    with pytest.raises(ServerFailed):
        next(pieces)
    assert breaking.calls == 1


def test_no_more_than_allowed_at_once() -> None:
    active, most, lock = 0, 0, threading.Lock()

    def slow(_: ChatRequest) -> str:
        nonlocal active, most
        with lock:
            active += 1
            most = max(most, active)
        time.sleep(0.01)
        with lock:
            active -= 1
        return "ok"

    provider = Limited(Scripted(slow), concurrency=3)
    with ThreadPoolExecutor(12) as threads:
        replies = list(threads.map(lambda _: provider.complete(ASK), range(40)))
    assert [reply.text for reply in replies] == ["ok"] * 40
    assert most == 3


def test_concurrency_adapts_to_a_server_that_allows_four() -> None:
    active, lock = 0, threading.Lock()

    def crowded(_: ChatRequest) -> ChatReply:
        nonlocal active
        with lock:
            active += 1
            full = active > 4
        try:
            if full:
                raise RateLimited("too many at once", hint="")
            time.sleep(0.01)
            return ChatReply(text="ok")
        finally:
            with lock:
                active -= 1

    inner = Scripted(crowded)
    provider = Limited(inner, concurrency=32, patience=Patience(tries=12, base=0.02))
    with ThreadPoolExecutor(32) as threads:
        replies = list(threads.map(lambda _: provider.complete(ASK), range(200)))
    assert len(replies) == 200
    assert provider.calls <= 1.5 * 200


def test_against_a_real_server(server: Any) -> None:
    server.script(
        {"status": 429, "headers": {"Retry-After": "0.2"}},
        {"status": 500},
        {"reset": True},
        {"raw": '{"choices": [{"mess'},
        {"text": "after all"},
    )
    provider = Limited(
        OpenAIChat("m", server.address), patience=Patience(tries=6, first_tries=6, base=0.01, longest=5.0)
    )
    start = time.monotonic()
    assert provider.complete(ASK).text == "after all"
    assert time.monotonic() - start >= 0.2
    assert len(server.seen()) == 5
    for status in (400, 401, 403, 404):
        server.script({"status": status})
        with pytest.raises(DoceoError):
            provider.complete(ASK)
        assert len(server.seen()) == 1
