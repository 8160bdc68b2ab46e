"""Checks that ask a model, under way while the teacher is still asked."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from doceo.core.errors import CostCapReached, ProviderError
from doceo.core.records import Pair, Verdict
from generator.asking import Patience
from generator.corpus import DeepCheck
from generator.pool import Pool

Check = asyncio.Task[tuple[Pair, Verdict | None]]
"""A check under way, of a pair: the pair with its scores, and why it is refused, if it is."""


class DeepChecks:
    """Runs the checks of every pair one after the other, those of many pairs at once.

    Args:
        checks: Cheapest first; the first refusal ends a pair's checks.
        at_once: Most pairs under way.
        patience: Which failures end the run.
    """

    def __init__(self, checks: Sequence[DeepCheck], at_once: int, patience: Patience) -> None:
        self._checks, self._patience = checks, patience
        self._at_once = asyncio.Semaphore(at_once)
        self._tasks: list[tuple[Pair, Check]] = []

    def start(self, pair: Pair) -> Check | None:
        """Begin to check a pair; None where there is nothing to check."""
        if not self._checks:
            return None
        self._tasks.append((pair, asyncio.get_running_loop().create_task(self._check(pair))))
        return self._tasks[-1][1]

    async def settle(self, pool: Pool) -> None:
        """Wait for all, and take out of the pool what was refused, in the order in which they were begun.

        Raises ProviderError where the run cannot go on; the rest is cancelled.
        """
        tasks, self._tasks = self._tasks, []
        try:
            for pair, task in tasks:
                checked, verdict = await task
                if verdict is None:
                    pool.improve(checked)
                elif verdict.reason == CostCapReached.code:
                    pool.fail(pair, verdict.reason)
                else:
                    pool.withdraw(checked, verdict)
        finally:
            await cancelled([task for _, task in tasks])

    async def cancel(self) -> None:
        """Stop what is under way."""
        tasks, self._tasks = self._tasks, []
        await cancelled([task for _, task in tasks])

    async def _check(self, pair: Pair) -> tuple[Pair, Verdict | None]:
        async with self._at_once:
            for check in self._checks:
                if self._patience.capped is not None:
                    return pair, Verdict(accepted=False, reason=CostCapReached.code)
                try:
                    found = await check.check(pair)
                except ProviderError as error:
                    if not self._patience.bears(error):
                        raise
                    if isinstance(error, CostCapReached):
                        return pair, Verdict(accepted=False, reason=error.code)
                    return pair, Verdict(accepted=False, reason="unchecked", detail=error.message[:200])
                self._patience.answered()
                scores = {**pair.scores, **found.scores}
                pair = pair.model_copy(update={"scores": scores, "difficulty": found.difficulty or pair.difficulty})
                if found.verdict is not None:
                    return pair, found.verdict
        return pair, None


async def cancelled(tasks: Sequence[asyncio.Task[Any]]) -> None:
    """Cancel tasks and wait until they have ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
