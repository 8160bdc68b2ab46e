"""Many at once, in the order in which they were asked for."""

from __future__ import annotations

import asyncio

import pytest

from generator.parallel import in_order


def run(items: list[int], at_once: int, delays: list[float] | None = None, bad: int = -1) -> tuple[list[int], int]:
    active = peak = 0

    async def work(item: int) -> int:
        nonlocal active, peak
        active += 1
        peak = max(peak, active)
        try:
            await asyncio.sleep(delays[item] if delays else 0)
            if item == bad:
                raise ValueError("bad")
            return item * 10
        finally:
            active -= 1

    async def all_of_them() -> list[int]:
        return [result async for _, result in in_order(items, work, at_once)]

    return asyncio.run(all_of_them()), peak


def test_results_come_in_order_whatever_the_order_of_arrival() -> None:
    made, peak = run([0, 1, 2, 3, 4, 5], 3, [0.05, 0.0, 0.0, 0.0, 0.03, 0.0])
    assert made == [0, 10, 20, 30, 40, 50]
    assert peak == 3


def test_a_slow_one_does_not_hold_back_the_others() -> None:
    done: list[int] = []

    async def work(item: int) -> int:
        await asyncio.sleep(0.2 if item == 0 else 0)
        done.append(item)
        return item

    async def first() -> None:
        async for _ in in_order(list(range(50)), work, 4):
            assert len(done) == 50, "all others ran while the first one waited"
            return

    asyncio.run(first())


@pytest.mark.parametrize("at_once", [1, 3])
def test_an_error_is_raised_at_its_turn_and_ends_the_rest(at_once: int) -> None:
    started: list[int] = []

    async def work(item: int) -> int:
        started.append(item)
        await asyncio.sleep(0)
        if item == 2:
            raise ValueError("bad")
        await asyncio.sleep(0.01 * item)
        return item

    async def take() -> list[int]:
        got: list[int] = []
        with pytest.raises(ValueError, match="bad"):
            async for _, result in in_order(list(range(1000)), work, at_once):
                got.append(result)
        assert [task for task in asyncio.all_tasks() if not task.done()] == [asyncio.current_task()]
        return got

    assert asyncio.run(take()) == [0, 1]
    assert len(started) < 20


def test_nothing_to_do() -> None:
    assert run([], 4) == ([], 0)
