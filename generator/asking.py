"""Asks the teacher, and decides which failure ends the run and which only costs its own order."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from doceo.core.errors import CostCapReached, ProviderError, ReplyInvalid, RequestRejected
from doceo.core.protocols import Teacher
from doceo.core.records import Draft, Order, Pair
from generator.corpus import Corpus, Crew
from generator.parallel import in_order

MOST_IN_ROW = 10
"""Failures in a row, of a server that has answered before, after which the run ends."""


class Patience:
    """Tells failures that cost one order from those that end the run: a server that never answered, or no longer does.

    A reply that cannot be used and a request that is refused cost their order alone; so does a failure that can pass,
    while others succeed. A wrong key, a missing model, or a server that counts as dead end the run.
    """

    def __init__(self) -> None:
        self.capped: CostCapReached | None = None
        self._answered = False
        self._in_row = 0

    def answered(self) -> None:
        """Note that the server answered."""
        self._answered, self._in_row = True, 0

    def bears(self, error: ProviderError) -> bool:
        """Return whether the run goes on after a failure."""
        if isinstance(error, CostCapReached):
            self.capped = error
            return True
        if isinstance(error, ReplyInvalid | RequestRejected):
            # The server did answer; one that refuses everything from the start is not asked a thousand times.
            self._in_row += isinstance(error, RequestRejected)
            return self._answered or isinstance(error, ReplyInvalid) or self._in_row < MOST_IN_ROW
        self._in_row += 1
        return error.retryable and self._answered and self._in_row < MOST_IN_ROW


@dataclass(frozen=True)
class Reply:
    """What came of an order: drafts by a teacher, or nothing because of a failure."""

    order: Order
    drafts: Sequence[Draft]
    teacher: Teacher
    failure: ProviderError | None = None


class Asker:
    """Sends orders to the teacher, and those of local documents to the stand-in.

    Attributes:
        at_once: Most orders and rewordings under way.
    """

    def __init__(self, corpus: Corpus, crew: Crew, at_once: int, patience: Patience) -> None:
        self._corpus, self._crew, self._patience = corpus, crew, patience
        self.at_once = 1 if crew.teacher.exhaustive else at_once
        self._turns = asyncio.Semaphore(self.at_once)

    def may_read(self, order: Order) -> bool:
        """Return whether the teacher may be sent an order's passages."""
        return not any(chunk.document_id in self._corpus.local for chunk in order.chunks)

    async def replies(self, orders: Sequence[Order]) -> AsyncIterator[Reply]:
        """Yield what comes of every order, in their order. Raises ProviderError where the run cannot go on."""
        async for _, reply in in_order(orders, self._in_turn, self.at_once):
            yield reply

    async def reword(self, pair: Pair) -> str | None:
        """Return a pair's question in other words, or None. Raises ProviderError where the run cannot go on."""
        async with self._turns:
            return await self._reword(pair)

    async def _in_turn(self, order: Order) -> Reply:
        async with self._turns:
            return await self._ask(order)

    async def _ask(self, order: Order) -> Reply:
        crew = self._crew
        teacher = crew.teacher if self.may_read(order) else crew.stand_in or crew.teacher
        if self._patience.capped is not None:
            return Reply(order, (), teacher, self._patience.capped)
        documents = {chunk.document_id: self._corpus.document[chunk.document_id] for chunk in order.chunks}
        try:
            drafts = await teacher.propose(order, documents)
        except ProviderError as error:
            if not self._patience.bears(error):
                raise
            return await self._stood_in(order, documents, error)
        self._patience.answered()
        return Reply(order, drafts, teacher)

    async def _stood_in(self, order: Order, documents: dict, error: ProviderError) -> Reply:  # type: ignore[type-arg]
        crew = self._crew
        if crew.stand_in is None or not crew.fill_in or order.form != "pairs" or isinstance(error, CostCapReached):
            return Reply(order, (), crew.teacher, error)
        drafts = await crew.stand_in.propose(order, documents)
        return Reply(order, drafts[: order.n], crew.stand_in, None if drafts else error)

    async def _reword(self, pair: Pair) -> str | None:
        teacher = self._crew.teacher if pair.teacher == self._crew.teacher.name else self._crew.stand_in
        if teacher is None or self._patience.capped is not None:
            return None
        try:
            question = await teacher.reword(pair)
        except ProviderError as error:
            if not self._patience.bears(error):
                raise
            return None
        self._patience.answered()
        return question
