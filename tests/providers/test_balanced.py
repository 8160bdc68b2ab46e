from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import pytest

from doceo.core.config import EngineConfig
from doceo.core.errors import AuthenticationFailed, DoceoError, RequestRejected, ServerFailed, Unreachable
from doceo.core.records import ChatReply, ChatRequest, Message
from doceo.providers.balanced import Balanced
from doceo.providers.chat import open_chat
from doceo.providers.limiter import Limited
from doceo.providers.remote import is_loopback
from tests.providers.streamed import streamed

ASK = ChatRequest(messages=(Message(role="user", content="?"),))


class Place:
    """One address of a model, in virtual time; each call takes as long as the rule says, or fails."""

    name = "openai:m"

    def __init__(self, host: str, rule: Callable[[int], DoceoError | float]) -> None:
        self.host, self._rule = host, rule
        self.calls = self.active = self.most = 0

    async def complete(self, request: ChatRequest) -> ChatReply:
        self.calls += 1
        self.active += 1
        self.most = max(self.most, self.active)
        try:
            outcome = self._rule(self.calls)
            if isinstance(outcome, DoceoError):
                raise outcome
            await asyncio.sleep(outcome)
            return ChatReply(text=self.host)
        finally:
            self.active -= 1

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatReply, None]:
        reply = await self.complete(request)
        yield reply.text
        yield "!"
        yield reply.model_copy(update={"text": f"{reply.text}!"})

    async def aclose(self) -> None: ...


def balanced(loop: Any, *places: Place, concurrency: int = 8) -> Balanced:
    return Balanced([Limited(place, concurrency=concurrency, clock=loop.time) for place in places])


def gone(_call: int) -> DoceoError:
    return Unreachable("gone", hint="start it")


def test_work_goes_where_there_is_room(virtually: Any) -> None:
    """A server that is ten times as fast gets about ten times the work, and nobody waits for the slow one."""
    fast, slow = Place("fast", lambda _: 0.1), Place("slow", lambda _: 1.0)

    async def play(loop: Any) -> float:
        provider = balanced(loop, fast, slow)
        await asyncio.gather(*(provider.complete(ASK) for _ in range(880)))
        return loop.time()

    assert virtually(play) < 1.15 * 10
    assert fast.calls == pytest.approx(800, rel=0.1)
    assert (fast.most, slow.most) == (8, 8)


def test_a_dead_address_is_left_out(virtually: Any) -> None:
    good, bad = Place("good", lambda _: 0.1), Place("bad", gone)

    async def play(loop: Any) -> tuple[float, list[ChatReply]]:
        provider = balanced(loop, good, bad)
        work = (provider.complete(ASK) for _ in range(400))
        return loop.time(), await asyncio.gather(*work)

    _, replies = virtually(play)
    assert [reply.text for reply in replies] == ["good"] * 400
    assert bad.calls < 60


def test_an_address_that_comes_back_is_used_again(virtually: Any) -> None:
    async def play(loop: Any) -> int:
        good = Place("good", lambda _: 1.0)
        shaky = Place("shaky", lambda _: ServerFailed("restarts", hint="") if loop.time() < 20 else 1.0)
        provider = balanced(loop, good, shaky)
        await asyncio.gather(*(provider.complete(ASK) for _ in range(1500)))
        return shaky.calls

    assert virtually(play) > 200


def test_when_all_are_dead_their_error_is_raised(virtually: Any) -> None:
    async def play(loop: Any) -> None:
        provider = balanced(loop, Place("a", gone), Place("b", gone))
        ended = await asyncio.gather(*(provider.complete(ASK) for _ in range(200)), return_exceptions=True)
        assert {type(error) for error in ended} == {Unreachable}
        assert loop.time() < 20
        with pytest.raises(Unreachable, match="not asked again for now"):
            await provider.complete(ASK)

    virtually(play)


def test_a_wrong_key_at_one_address_is_found_once(virtually: Any) -> None:
    locked = Place("locked", lambda _: AuthenticationFailed("401", hint="key"))
    good = Place("good", lambda _: 0.1)

    async def play(loop: Any) -> None:
        provider = balanced(loop, locked, good)
        for _ in range(20):
            assert (await provider.complete(ASK)).text == "good"

    virtually(play)
    assert locked.calls == 1


def test_a_rejected_request_is_not_asked_elsewhere(virtually: Any) -> None:
    first, second = (Place(name, lambda _: RequestRejected("400", hint="")) for name in "ab")

    async def play(loop: Any) -> None:
        with pytest.raises(RequestRejected):
            await balanced(loop, first, second).complete(ASK)

    virtually(play)
    assert first.calls + second.calls == 1


def test_streams(virtually: Any) -> None:
    async def play(loop: Any) -> list[str | ChatReply]:
        provider = balanced(loop, Place("bad", gone), Place("good", lambda _: 0.1))
        return [part async for part in provider.stream(ASK)]

    assert streamed(virtually(play))[0] == ["good", "!"]


def test_cancelled_while_waiting(virtually: Any) -> None:
    async def play(loop: Any) -> None:
        provider = balanced(loop, Place("a", lambda _: 1.0), Place("b", lambda _: 1.0), concurrency=1)
        work = [asyncio.create_task(provider.complete(ASK)) for _ in range(30)]
        await asyncio.sleep(0.5)
        for task in work[2:20]:
            task.cancel()
        ended = await asyncio.gather(*work, return_exceptions=True)
        assert sum(isinstance(reply, ChatReply) for reply in ended) == 12
        assert loop.time() == pytest.approx(6)

    virtually(play)


def test_several_addresses_by_commas(server: Any) -> None:
    other = server.address.replace("127.0.0.1", "localhost")

    async def ask() -> None:
        provider = open_chat("openai:m", base_url=f"{server.address}, {other}", engine=EngineConfig(concurrency=4))
        assert provider.host == f"127.0.0.1:{server.port}, localhost:{server.port}"
        replies = await asyncio.gather(*(provider.complete(ASK) for _ in range(12)))
        assert {reply.text for reply in replies} == {"hello"}
        await provider.aclose()

    asyncio.run(ask())
    assert len(server.seen()) == 12


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("127.0.0.1:8000", True), ("[::1]:80", True), ("localhost", True), ("", True),
        ("127.0.0.1:1, localhost:2", True),
                ("api.openai.com", False), ("127.0.0.1:1, api.openai.com", False), ("10.0.0.1", False),
        ("localhost.evil.example", False),
    ],
)  # fmt: skip
def test_what_stays_on_this_machine(host: str, here: bool) -> None:
    assert is_loopback(host) is here
