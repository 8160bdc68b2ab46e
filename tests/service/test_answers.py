"""Several answers to one request: none is waited for in vain, and none goes on for nobody."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest

from doceo.app.served import Ended, Part, Query
from doceo.core.records import Answer, Trace, Usage
from doceo.service.answers import Answers


class Drawing:
    """A system that writes slowly, and breaks where it is asked to."""

    draws = True

    def __init__(self) -> None:
        self.left = 0

    async def stream(self, query: Query, aside: Any) -> AsyncGenerator[Part, None]:
        try:
            yield "It "
            if query.question == "break":
                raise RuntimeError("nobody foresaw this")
            if query.question == "wait":
                await asyncio.sleep(60)
            trace = Trace(seconds={"retrieve": 0.5})
            yield Ended(Answer(text="It was.", usage=Usage(completion_tokens=3), trace=trace))
        finally:
            self.left += 1


class Counting:
    """In place of a meter."""

    def __init__(self) -> None:
        self.searches: list[float] = []
        self.tokens = 0

    def first_token(self, model: str) -> None: ...

    def retrieved(self, seconds: float) -> None:
        self.searches.append(seconds)

    def used(self, model: str, prompt: int, completion: int, **more: str) -> None:
        self.tokens += completion


def answers(served: Any, meter: Any) -> Answers:
    return Answers(served, meter, "m")


@pytest.mark.parametrize("streamed", [True, False])
def test_an_answer_that_nobody_foresaw_ends_all(streamed: bool) -> None:
    served, queries = Drawing(), [Query("wait"), Query("break"), Query("wait")]

    async def work() -> None:
        asked = answers(served, Counting())
        if not streamed:
            await asked.all(queries)
        else:
            async for _ in asked.stream(queries):
                pass

    with pytest.raises(RuntimeError, match="nobody foresaw"):
        asyncio.run(asyncio.wait_for(work(), 5))
    assert served.left == 3


def test_several_answers_come_whole() -> None:
    async def work() -> list[tuple[int, Any]]:
        return [part async for part in answers(Drawing(), Counting()).stream([Query("a"), Query("b")])]

    parts = asyncio.run(asyncio.wait_for(work(), 5))
    assert sorted(n for n, part in parts if isinstance(part, Ended)) == [0, 1]
    assert sorted(n for n, part in parts if part == "It ") == [0, 1]


def test_what_a_search_took_is_told_of_every_kind_of_answer() -> None:
    meter = Counting()
    asyncio.run(answers(Drawing(), meter).all([Query("a")]))
    assert (meter.searches, meter.tokens) == ([0.5], 3)
