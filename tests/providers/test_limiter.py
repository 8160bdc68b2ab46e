from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doceo.core.errors import (
    AuthenticationFailed,
    DoceoError,
    ModelNotFound,
    ProviderError,
    RateLimited,
    ReplyInvalid,
    RequestRejected,
    ServerFailed,
    Unreachable,
)
from doceo.core.records import ChatReply, ChatRequest, Message, Usage
from doceo.providers.limiter import Limited
from doceo.providers.openai_chat import OpenAIChat
from doceo.providers.patience import Patience
from doceo.providers.scripted import AsyncScripted, Scripted
from tests.providers.streamed import streamed

ASK = ChatRequest(messages=(Message(role="user", content="?"),))


class Time:
    """A clock that moves only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def clock(self) -> float:
        return self.now


class Server:
    """A model in virtual time: `rule(number, active)` says what a call does; it takes `latency` seconds."""

    name, host = "openai:m", "far.example"

    def __init__(self, rule: Callable[[int, int], DoceoError | float], usage: Usage | None = None) -> None:
        self._rule, self._usage = rule, usage or Usage()
        self.active = self.most = self.calls = 0
        self.times: list[float] = []

    async def complete(self, request: ChatRequest) -> ChatReply:
        self.times.append(asyncio.get_running_loop().time())
        self.calls += 1
        self.active += 1
        self.most = max(self.most, self.active)
        try:
            outcome = self._rule(self.calls, self.active)
            if isinstance(outcome, DoceoError):
                raise outcome
            await asyncio.sleep(outcome)
            return ChatReply(text=request.messages[-1].content, usage=self._usage)
        finally:
            self.active -= 1

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatReply, None]:
        reply = await self.complete(request)
        yield reply.text
        yield reply

    async def aclose(self) -> None: ...


def limited(replies: Any, clock: Time, **options: Any) -> tuple[Limited, AsyncScripted]:
    inner = Scripted(replies).asynchronous()
    return Limited(inner, sleep=clock.sleep, clock=clock.clock, random=lambda: 1.0, **options), inner


def ask(provider: Any) -> ChatReply:
    return asyncio.run(provider.complete(ASK))


def down(retry_after: float | None = None) -> ServerFailed:
    return ServerFailed("down", hint="wait", retry_after=retry_after)


def crowded(allowed: int, latency: float = 0.2) -> Callable[[int, int], DoceoError | float]:
    return lambda _, active: RateLimited("too many at once", hint="") if active > allowed else latency


def race(
    server: Server, calls: int, *, streaming: bool = False, **options: Any
) -> Callable[[Any], Coroutine[Any, Any, tuple[float, Limited]]]:
    """Ask so many things at once; return the seconds that it took."""

    async def play(loop: Any) -> tuple[float, Limited]:
        provider = Limited(server, clock=loop.time, random=lambda: 0.5, **options)

        async def whole() -> ChatReply:
            return streamed([part async for part in provider.stream(ASK)])[1]

        replies = await asyncio.gather(*(whole() if streaming else provider.complete(ASK) for _ in range(calls)))
        assert len(replies) == calls
        return loop.time(), provider

    return play


def test_backoff_doubles_up_to_its_bound() -> None:
    clock = Time()
    patience = Patience(tries=8, first_tries=8, base=1.0, longest=10.0)
    provider, _ = limited([*[down() for _ in range(6)], "ok"], clock, patience=patience)
    assert ask(provider).text == "ok"
    assert clock.slept == [1, 2, 4, 8, 10, 10]
    assert (provider.calls, provider.retries) == (7, 6)


def test_jitter_is_full() -> None:
    clock = Time()
    inner = Scripted([down(), "ok"]).asynchronous()
    ask(Limited(inner, sleep=clock.sleep, clock=clock.clock, random=lambda: 0.25))
    assert clock.slept == [0.125]


def test_retry_after_is_honoured_by_every_request(virtually: Any) -> None:
    server = Server(lambda call, _: RateLimited("slow", hint="", retry_after=7.0) if call == 1 else 0.1)

    async def play(loop: Any) -> None:
        provider = Limited(server, clock=loop.time)
        first = asyncio.create_task(provider.complete(ASK))
        await asyncio.sleep(0.01)
        await asyncio.gather(first, provider.complete(ASK), provider.complete(ASK))

    virtually(play)
    assert server.times[0] == 0
    assert min(server.times[1:]) >= 7.0
    assert max(server.times) < 8.0


def test_a_retry_after_of_hours_is_told_at_once() -> None:
    clock = Time()
    provider, _ = limited([RateLimited("slow", hint="", retry_after=7200.0), "ok"], clock)
    with pytest.raises(RateLimited):
        ask(provider)
    assert clock.slept == []


@pytest.mark.parametrize("kind", [AuthenticationFailed, ModelNotFound, RequestRejected, ReplyInvalid])
def test_never_retried(kind: type[DoceoError]) -> None:
    clock = Time()
    provider, inner = limited([kind("no", hint=""), "ok"], clock)
    with pytest.raises(kind):
        ask(provider)
    assert len(inner.requests) == 1


def test_a_server_that_never_answered_is_given_up_sooner() -> None:
    clock = Time()
    provider, inner = limited([Unreachable("gone", hint="") for _ in range(9)], clock)
    with pytest.raises(Unreachable):
        ask(provider)
    assert len(inner.requests) == 3
    clock = Time()
    provider, inner = limited(["ok", *[Unreachable("gone", hint="") for _ in range(9)]], clock)
    ask(provider)
    with pytest.raises(Unreachable):
        ask(provider)
    assert len(inner.requests) == 1 + 6


def test_a_dead_server_gives_one_error_soon() -> None:
    clock = Time()
    patience = Patience(tries=3, first_tries=3, failures=6, rest=30.0)
    provider, inner = limited(lambda _: (_ for _ in ()).throw(down()), clock, patience=patience)
    for _ in range(50):
        with pytest.raises(ServerFailed, match="down"):
            ask(provider)
    assert len(inner.requests) == 6
    with pytest.raises(ServerFailed, match="6 failures in a row"):
        ask(provider)


def test_a_server_that_comes_back_is_asked_again() -> None:
    clock = Time()
    patience = Patience(tries=3, first_tries=3, failures=3, rest=30.0)
    provider, _ = limited([down(), down(), down(), "back", "again"], clock, patience=patience)
    with pytest.raises(ServerFailed):
        ask(provider)
    with pytest.raises(ServerFailed):
        ask(provider)
    clock.now += 31
    assert ask(provider).text == "back"
    assert ask(provider).text == "again"


@pytest.mark.parametrize("concurrency", [8, 256])
def test_many_requests_to_a_dead_server_end_soon(virtually: Any, concurrency: int) -> None:
    server = Server(lambda _call, _active: Unreachable("refused", hint=""))

    async def play(loop: Any) -> float:
        provider = Limited(server, concurrency=concurrency, clock=loop.time)
        ended = await asyncio.gather(*(provider.complete(ASK) for _ in range(1000)), return_exceptions=True)
        assert all(isinstance(error, Unreachable) for error in ended)
        return loop.time()

    assert virtually(play) < 5
    assert server.calls <= 10 * concurrency


def test_one_interruption_of_many_requests_is_no_death(virtually: Any) -> None:
    """All 256 connections break at once: that is one event, not 256 failures."""
    server = Server(lambda call, _: 0.5)

    async def play(loop: Any) -> None:
        provider = Limited(server, concurrency=256, clock=loop.time)
        server._rule = lambda _call, _active: down() if 2.0 < loop.time() < 2.2 else 0.5
        await asyncio.gather(*(provider.complete(ASK) for _ in range(3000)))

    virtually(play)


def test_stream_is_retried_only_before_its_first_piece() -> None:
    clock = Time()

    async def parts(provider: Limited) -> list[str | ChatReply]:
        return [part async for part in provider.stream(ASK)]

    provider, _ = limited([down(), "a b"], clock)
    assert streamed(asyncio.run(parts(provider)))[0] == ["a ", "b"]

    class Breaking(AsyncScripted):
        async def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatReply, None]:
            yield "a "
            raise down()

    async def read() -> int:
        breaking = Limited(Breaking(Scripted([])), sleep=clock.sleep, clock=clock.clock)
        stream = breaking.stream(ASK)
        assert await anext(stream) == "a "
        with pytest.raises(ServerFailed):
            await anext(stream)
        return breaking.calls

    assert asyncio.run(read()) == 1


def test_no_more_than_allowed_at_once(virtually: Any) -> None:
    server = Server(lambda _call, _active: 1.0)
    seconds, _ = virtually(race(server, 40, concurrency=3))
    assert server.most == 3
    assert seconds == pytest.approx(14)  # 40 calls, 3 at a time


def test_slow_start_doubles_every_tenth_of_a_second(virtually: Any) -> None:
    server = Server(lambda _call, _active: 5.0)
    virtually(race(server, 100, concurrency=100))
    sent = [sum(time <= at + 0.001 for time in server.times) for at in (0, 0.1, 0.2, 0.3, 0.4, 0.5)]
    assert sent == [10, 20, 40, 80, 100, 100]


@pytest.mark.parametrize("retry_after", [None, 1.0])
def test_a_server_that_allows_four(virtually: Any, retry_after: float | None) -> None:
    full = RateLimited("too many at once", hint="", retry_after=retry_after)
    server = Server(lambda _, active: full if active > 4 else 0.2)
    seconds, provider = virtually(race(server, 400, concurrency=32))
    assert server.calls == provider.calls <= 1.1 * 400
    # The server's own limit is 400 * 0.2 / 4 = 20 seconds; what Retry-After asks for comes on top.
    assert seconds < 20 * (1.15 if retry_after is None else 1.3)


def test_a_limit_that_rises_is_found(virtually: Any) -> None:
    server = Server(lambda call, active: crowded(4 if call < 300 else 64)(call, active))
    seconds, _ = virtually(race(server, 4000, concurrency=64))
    assert server.most == 64
    assert seconds < 50  # 15 s for the first 300 calls, 11.6 s for the others at 64; at 4 they would take 185 s


def test_a_slow_call_blocks_nobody(virtually: Any) -> None:
    server = Server(lambda call, _: 60.0 if call % 50 == 0 else 0.2)
    seconds, _ = virtually(race(server, 200, concurrency=32))
    assert seconds < 62
    assert sorted(server.times)[-1] < 5


@pytest.mark.parametrize(("limits", "calls", "seconds"), [({"rpm": 60}, 121, 120), ({"rpm": 600}, 301, 30)])
def test_requests_a_minute(virtually: Any, limits: dict[str, int], calls: int, seconds: float) -> None:
    server = Server(lambda _call, _active: 0.5)
    virtually(race(server, calls, concurrency=32, **limits))
    assert server.times[-1] == pytest.approx(seconds, rel=0.01)
    for start in server.times:
        assert sum(start <= time < start + 59.99 for time in server.times) <= limits["rpm"]


@pytest.mark.parametrize("streaming", [False, True])
def test_tokens_a_minute_are_corrected_by_usage(virtually: Any, *, streaming: bool) -> None:
    """A reply counts in full at first (1024 tokens); once 100 are known to be usual, ten requests a second fit."""
    server = Server(lambda _call, _active: 0.05, Usage(prompt_tokens=20, completion_tokens=80))
    virtually(race(server, 600, concurrency=32, tpm=60_000, streaming=streaming))
    tokens = 100 * len(server.times)
    assert tokens / (server.times[-1] + 0.1) * 60 == pytest.approx(60_000, rel=0.1)


def test_cancelled_requests_give_their_slots_back(virtually: Any) -> None:
    async def play(loop: Any) -> None:
        provider = Limited(Server(lambda _call, _active: 1.0), concurrency=2, clock=loop.time)
        work = [asyncio.create_task(provider.complete(ASK)) for _ in range(10)]
        await asyncio.sleep(0.5)
        for task in work[1:9]:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        assert not work[9].cancelled()
        assert (await asyncio.gather(*(provider.complete(ASK) for _ in range(4))))[3].text == "?"
        assert provider.room == 2

    virtually(play)


FAULTS = st.sampled_from(
    [
        *[RateLimited("slow", hint="", retry_after=seconds) for seconds in (None, 0.5, 3.0)],
        *[ServerFailed("failed", hint=""), Unreachable("reset", hint=""), ReplyInvalid("empty", hint="")],
        *[0.01, 0.2, 5.0],
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(
    outcomes=st.lists(FAULTS, min_size=1, max_size=60),
    concurrency=st.integers(1, 40),
    calls=st.integers(1, 80),
    rpm=st.sampled_from([None, 6000]),
    cancelled=st.sets(st.integers(0, 79), max_size=5),
)
def test_never_too_many_and_every_request_ends(
    virtually: Any, outcomes: list[Any], concurrency: int, calls: int, rpm: int | None, cancelled: set[int]
) -> None:
    server = Server(lambda call, _: outcomes[call % len(outcomes)])

    async def play(loop: Any) -> None:
        provider = Limited(server, concurrency=concurrency, rpm=rpm, clock=loop.time)
        work = [asyncio.create_task(provider.complete(ASK)) for _ in range(calls)]
        await asyncio.sleep(0.3)
        for number in cancelled & set(range(calls)):
            work[number].cancel()
        ended = await asyncio.gather(*work, return_exceptions=True)
        expected = (ChatReply, ProviderError, asyncio.CancelledError)
        assert all(isinstance(one, expected) for one in ended)
        assert provider._window.held == 0
        assert provider.calls == server.calls

    virtually(play)
    assert server.most <= concurrency


def test_against_a_real_server(server: Any) -> None:
    async def play() -> None:
        provider = Limited(
            OpenAIChat("m", server.address), patience=Patience(tries=6, first_tries=6, base=0.01, longest=5.0)
        )
        loop = asyncio.get_running_loop()
        start = loop.time()
        assert (await provider.complete(ASK)).text == "after all"
        assert loop.time() - start >= 0.2
        assert len(server.seen()) == 5
        for status in (400, 401, 403, 404):
            server.script({"status": status})
            with pytest.raises(DoceoError):
                await provider.complete(ASK)
            assert len(server.seen()) == 1
        await provider.aclose()

    server.script(
        {"status": 429, "headers": {"Retry-After": "0.2"}},
        {"status": 500},
        {"reset": True},
        {"raw": '{"choices": [{"mess'},
        {"text": "after all"},
    )
    asyncio.run(play())
