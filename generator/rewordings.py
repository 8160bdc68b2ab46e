"""Facts that are asked a second time in other words, for the questions that training is tested with.

A chat model is asked for them while it still writes pairs: which places of the plan are asked about twice is settled
before anything is asked, their orders go first, and a rewording is begun as soon as its pair has passed. So nothing
waits for the choice of pairs at the end.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence

from data.splits import taught_facts
from doceo.core.fingerprint import sha256
from doceo.core.records import Order, Pair
from generator.asking import Asker
from generator.deep import Check, cancelled
from generator.parallel import in_order

_FORMS = ("pairs", "multi-hop")
"""Forms of order whose pairs stand alone and have an answer."""


class Rewordings:
    """Asks for questions in other words.

    Args:
        asker: Whom to ask.
        unseen: Ids of the chunks that are kept out of training: what they say is not taught, so not asked again.
        wanted: How many facts are to be asked twice.
        seed: Decides which.
        early: Whether to begin while pairs are still written.
    """

    def __init__(self, asker: Asker, unseen: frozenset[str], wanted: int, seed: int, *, early: bool) -> None:
        self._asker, self._unseen, self._seed = asker, unseen, seed
        self._left = wanted if early else 0
        self._places: Counter[str] = Counter()
        self._begun: dict[str, asyncio.Task[str | None]] = {}

    def first(self, plan: Sequence[Order]) -> list[Order]:
        """Return a plan with the orders first whose pairs are asked about twice, as many as are still to be."""
        ranked = sorted(
            (sha256(f"taught {self._seed} {order.chunk.id} {i}"), number)
            for number, order in enumerate(plan)
            if order.form in _FORMS and not self._unseen.intersection(chunk.id for chunk in order.chunks)
            for i in range(order.n)
        )
        twice = Counter(number for _, number in ranked[: max(0, self._left)])
        self._places = Counter()
        for number, count in twice.items():
            self._places[plan[number].chunk.id] += count
        return [plan[number] for number in sorted(range(len(plan)), key=lambda number: number not in twice)]

    def begin(self, pair: Pair, check: Check | None) -> None:
        """Begin to ask about a pair that passed, where its place is one of those; after its check, if there is one."""
        if self._places[pair.chunk_ids[0]] and self.fit(pair):
            self._places[pair.chunk_ids[0]] -= 1
            self._left -= 1
            self._begun[pair.id] = asyncio.get_running_loop().create_task(self._checked(pair, check))

    def fit(self, pair: Pair) -> bool:
        """Return whether a pair's question can be asked alone and is trained."""
        return pair.answerable and not pair.history and not self._unseen.intersection(pair.chunk_ids)

    def in_turn(self, pairs: Sequence[Pair]) -> list[Pair]:
        """Return the pairs in the order in which they are to be asked about: those begun, then as the seed says."""
        self._left = 0
        return sorted(taught_facts(pairs, len(pairs), self._seed), key=lambda pair: pair.id not in self._begun)

    async def of(self, pairs: Sequence[Pair]) -> AsyncIterator[tuple[Pair, str | None]]:
        """Yield every pair with its question in other words, or None. Raises ProviderError as `Asker.replies`."""
        async for pair, question in in_order(pairs, self._ask, self._asker.at_once):
            yield pair, question

    async def cancel(self) -> None:
        """Stop what is under way."""
        await cancelled(list(self._begun.values()))

    async def _ask(self, pair: Pair) -> str | None:
        begun = self._begun.get(pair.id)
        return await (begun if begun is not None else self._asker.reword(pair))

    async def _checked(self, pair: Pair, check: Check | None) -> str | None:
        if check is not None and (await asyncio.shield(check))[1] is not None:
            return None
        return await self._asker.reword(pair)
