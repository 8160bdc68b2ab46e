from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from doceo.core.config import EngineConfig
from doceo.core.errors import CostCapReached, ReplyInvalid, UsageError
from doceo.core.records import ChatReply, ChatRequest, Message, Usage
from doceo.providers.capped import Budget, Capped, most_cost
from doceo.providers.chat import open_chat
from doceo.providers.journal import Journaled, spent_in
from doceo.providers.prices import Price
from doceo.providers.scripted import Scripted
from tests.providers.streamed import streamed

PRICE = Price(prompt=1.0, cached=0.5, completion=10.0)


def ask(n: int = 0, **options: Any) -> ChatRequest:
    return ChatRequest(messages=(Message(role="user", content=f"question {n}"),), **options)


class Model:
    """A model in virtual time that bills each reply."""

    name, host = "openai:m", "far.example"

    def __init__(self, cost: float | None, failing: bool = False) -> None:
        self._cost, self._failing = cost, failing
        self.calls = 0

    async def complete(self, request: ChatRequest) -> ChatReply:
        self.calls += 1
        await asyncio.sleep(1.0)
        if self._failing:
            raise ReplyInvalid("empty", hint="")
        return ChatReply(text="a", usage=Usage(prompt_tokens=1, cost=self._cost))

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatReply, None]:
        reply = await self.complete(request)
        yield reply.text
        yield reply

    async def aclose(self) -> None: ...


def test_what_a_request_can_cost_at_most() -> None:
    # 10 bytes + 16 + 16 at 1 USD, 100 at 10 USD for a million
    assert most_cost(ask(0, max_tokens=100), PRICE) == pytest.approx((42 + 100 * 10) / 1e6)
    assert most_cost(ask(0, form={"type": "object"}), PRICE) > most_cost(ask(0), PRICE)
    chinese = ChatRequest(messages=(Message(role="user", content="灯塔"),), max_tokens=1)
    assert most_cost(chinese, PRICE) == pytest.approx((6 + 32 + 10) / 1e6)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(cap=st.floats(0, 0.2), share=st.floats(0.01, 1.0), before=st.floats(0, 0.05), calls=st.integers(1, 60))
def test_the_cap_is_never_passed_and_is_used(
    virtually: Any, cap: float, share: float, before: float, calls: int
) -> None:
    """Whatever part of the most a reply really costs: at most one request's most stays unspent."""
    most = most_cost(ask(), PRICE)
    model = Model(cost=most * share)

    async def play(_: Any) -> tuple[Budget, int]:
        budget = Budget(cap, before)
        provider = Capped(model, budget, PRICE)
        ended = await asyncio.gather(*(provider.complete(ask()) for _ in range(calls)), return_exceptions=True)
        assert all(isinstance(one, ChatReply | CostCapReached) for one in ended)
        return budget, sum(isinstance(one, CostCapReached) for one in ended)

    budget, refused = virtually(play)
    assert budget.spent <= max(cap, before) + 1e-12
    assert budget.spent == pytest.approx(before + model.calls * most * share)
    assert model.calls == calls - refused
    if refused:
        assert budget.spent + most > cap


def test_one_budget_for_several_models(virtually: Any) -> None:
    most = most_cost(ask(), PRICE)
    teacher, judge = Model(most), Model(most)

    async def play(_: Any) -> None:
        budget = Budget(most * 5.5)
        models = [Capped(model, budget, PRICE) for model in (teacher, judge)]
        work = [models[n % 2].complete(ask(n)) for n in range(20)]
        ended = await asyncio.gather(*work, return_exceptions=True)
        error = next(one for one in ended if isinstance(one, CostCapReached))
        assert "--max-cost" in error.hint
        assert error.exit_code == 3

    virtually(play)
    assert teacher.calls + judge.calls == 5


@pytest.mark.parametrize("model", [Model(None), Model(1.0, failing=True)])
def test_what_is_not_known_counts_in_full(virtually: Any, model: Model) -> None:
    most = most_cost(ask(), PRICE)

    async def play(_: Any) -> float:
        budget = Budget(10 * most)
        await asyncio.gather(Capped(model, budget, PRICE).complete(ask()), return_exceptions=True)
        return budget.spent

    assert virtually(play) == pytest.approx(most)


def test_cancelled_requests_give_back_what_they_set_aside(virtually: Any) -> None:
    most = most_cost(ask(), PRICE)

    async def play(_: Any) -> None:
        budget = Budget(1.5 * most)
        provider = Capped(Model(0.0), budget, PRICE)
        work = [asyncio.create_task(provider.complete(ask())) for _ in range(4)]
        await asyncio.sleep(0.5)
        work[0].cancel()
        work[2].cancel()
        ended = await asyncio.gather(*work, return_exceptions=True)
        assert [isinstance(one, ChatReply) for one in ended] == [False, True, False, True]

    virtually(play)


def test_streams_are_capped(virtually: Any) -> None:
    async def play(_: Any) -> None:
        budget = Budget(1.5 * most_cost(ask(), PRICE))
        provider = Capped(Model(None), budget, PRICE)
        assert streamed([part async for part in provider.stream(ask())])[0] == ["a"]
        with pytest.raises(CostCapReached):
            [part async for part in provider.stream(ask())]

    virtually(play)


def test_a_stream_counts_as_what_it_says_that_it_cost(virtually: Any) -> None:
    most = most_cost(ask(), PRICE)

    async def play(_: Any) -> None:
        budget = Budget(1.5 * most)
        provider = Capped(Model(most / 10), budget, PRICE)
        for _ in range(5):
            async for _ in provider.stream(ask()):
                pass
        assert budget.spent == pytest.approx(most / 2)
        left = provider.stream(ask())
        await anext(left)
        await left.aclose()
        assert budget.spent == pytest.approx(1.5 * most), "nobody heard what it cost"

    virtually(play)


def test_kept_replies_are_free(tmp_path: Path) -> None:
    paid = ChatReply(text="a", usage=Usage(prompt_tokens=9, cost=0.01))

    async def play() -> None:
        path = tmp_path / "j.sqlite"
        first = Journaled(Capped(Scripted([paid]).asynchronous(), Budget(1.0), PRICE), path)
        await first.complete(ask())
        await first.aclose()
        assert spent_in(path).cost == 0.01
        again = Journaled(Capped(Scripted([]).asynchronous(), Budget(0.01, spent_in(path).cost or 0.0), PRICE), path)
        assert (await again.complete(ask())).text == "a"
        with pytest.raises(CostCapReached):
            await again.complete(ask(2))
        await again.aclose()

    asyncio.run(play())


def test_a_cap_needs_a_price(tmp_path: Path) -> None:
    engine = EngineConfig(max_cost=1.0)
    with pytest.raises(UsageError, match=r"new-model at llm\.example:8000") as caught:
        open_chat("openai:new-model", base_url="http://llm.example:8000/v1", engine=engine)
    assert '[hosts."llm.example:8000"]' in caught.value.hint
    prices = tmp_path / "prices.toml"
    prices.write_text('[hosts."llm.example:8000"]\n"new-model" = { prompt = 0.15, completion = 0.60 }\n')
    engine = EngineConfig(max_cost=1.0, prices=str(prices))
    assert open_chat("openai:new-model", base_url="http://llm.example:8000/v1", engine=engine).host


def test_the_cap_of_a_run_counts_its_journal(server: Any, tmp_path: Path) -> None:
    prices, journal = tmp_path / "prices.toml", tmp_path / "j.sqlite"
    prices.write_text('[hosts."127.0.0.1"]\n"m" = { prompt = 1000, completion = 1000 }\n')

    async def spend(cap: float) -> int:
        engine = EngineConfig(max_cost=cap, prices=str(prices))
        provider = open_chat("openai:m", base_url=server.address, journal=journal, engine=engine)
        work = (provider.complete(ask(n, max_tokens=50)) for n in range(20))
        ended = await asyncio.gather(*work, return_exceptions=True)
        await provider.aclose()
        assert all(isinstance(one, ChatReply | CostCapReached) for one in ended)
        return sum(isinstance(one, ChatReply) for one in ended)

    # 30 tokens a reply, 0.03 USD; at most 11 + 32 + 50 tokens, 0.093 USD, are set aside
    server.script({"text": "a", "usage": {"prompt_tokens": 20, "completion_tokens": 10}})
    assert asyncio.run(spend(0.5)) == 14
    assert asyncio.run(spend(0.5)) == 14
    assert asyncio.run(spend(0.65)) == 19
    assert spent_in(journal).cost == pytest.approx(0.57)
