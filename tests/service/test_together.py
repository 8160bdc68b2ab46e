"""Pieces that come while others are sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from doceo.service.together import together


def test_what_has_come_is_joined_and_what_is_raised_comes_after_it() -> None:
    async def pieces() -> AsyncGenerator[str, None]:
        yield "a"
        yield "b"
        await asyncio.sleep(0.01)
        yield "c"
        raise KeyError("d")

    async def read() -> list[str]:
        found = []
        with pytest.raises(KeyError):
            async for some in together(pieces()):
                found.append(some)
        return found

    assert asyncio.run(read()) == ["ab", "c"]


def test_what_comes_while_one_is_sent_waits_for_it() -> None:
    async def pieces() -> AsyncGenerator[str, None]:
        for piece in "abcdef":
            yield piece
            await asyncio.sleep(0)

    async def read() -> list[str]:
        found = []
        async for some in together(pieces()):
            found.append(some)
            await asyncio.sleep(0.01)
        return found

    found = asyncio.run(read())
    assert "".join(found) == "abcdef"
    assert len(found) < 6


@pytest.mark.timeout(10)
def test_leaving_early_ends_the_making() -> None:
    ended = []

    async def pieces() -> AsyncGenerator[str, None]:
        try:
            while True:
                yield "a"
                await asyncio.sleep(0)
        finally:
            ended.append(True)

    async def read() -> None:
        source = pieces()
        async with aclosing(source), aclosing(together(source)) as joined:
            async for _ in joined:
                break
        assert ended

    asyncio.run(read())
