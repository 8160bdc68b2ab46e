"""The cost cap: no request is sent that could take what a run has spent over it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing

from doceo.core.errors import CostCapReached, ReplyInvalid
from doceo.core.fingerprint import canonical
from doceo.core.records import ChatReply, ChatRequest
from doceo.providers.prices import Price
from doceo.providers.remote import AsyncRemote

_MARKS = 16
"""Tokens of a message beside its text, at most."""


class Budget:
    """What all remote models of a run may cost together. Used from one event loop at a time.

    A request sets aside the most that it can cost and gives back what it did not. Where that does not fit, it waits
    for the requests under way, and is refused only when none is left: so the cap is never passed, and what stays
    unspent is less than one request's most.

    Args:
        cap: USD.
        spent: USD that were spent before, such as the journal's.
    """

    def __init__(self, cap: float, spent: float = 0.0) -> None:
        self.cap, self.spent = cap, spent
        self._aside, self._open = 0.0, 0
        self._waiting: deque[tuple[float, asyncio.Future[bool]]] = deque()

    async def reserve(self, amount: float) -> None:
        """Set an amount of USD aside. Raises CostCapReached where it does not fit."""
        turn: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((amount, turn))
        self._let_in()
        try:
            granted = await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.result():
                self.settle(amount, 0.0)
            raise
        if not granted:
            raise CostCapReached(
                f"The next request could take the cost over {self.cap:g} USD; {self.spent:.4f} USD are spent.",
                hint="Everything until now is kept. The same command with a higher --max-cost goes on from here.",
            )

    def settle(self, amount: float, cost: float) -> None:
        """Give back an amount that was set aside, and note what was spent of it, in USD."""
        self._open -= 1
        self._aside = self._aside - amount if self._open else 0.0
        self.spent += cost
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting:
            amount, turn = self._waiting[0]
            if not turn.done():
                fits = self.spent + self._aside + amount <= self.cap
                if not fits and self._open:
                    return
                if fits:
                    self._aside, self._open = self._aside + amount, self._open + 1
                turn.set_result(fits)
            self._waiting.popleft()


class Capped:
    """A provider that asks the budget before it asks the model. Used from one event loop.

    What one request can cost: no byte-level tokenizer makes more tokens of a text than it has bytes, and a reply has
    at most `max_tokens`. A reply whose usage is unknown, as that of a stream that was left early, counts as that much.
    What a server bills for a request that it did not answer is not known here.

    Args:
        provider: The provider behind.
        budget: Shared by all models of a run.
        price: The model's list price; of several addresses, the highest.
    """

    def __init__(self, provider: AsyncRemote, budget: Budget, price: Price) -> None:
        self.name = provider.name
        self._provider, self._budget, self._price = provider, budget, price

    @property
    def host(self) -> str:
        """The host that receives the text."""
        return self._provider.host

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer a request. Raises ProviderError, of which CostCapReached where the cap leaves no room for it."""
        most = most_cost(request, self._price)
        await self._budget.reserve(most)
        cost = 0.0
        try:
            reply = await self._provider.complete(request)
            cost = _cost(reply, most)
        except ReplyInvalid:
            # An answer came and is billed; its usage is lost with it.
            cost = most
            raise
        finally:
            self._budget.settle(most, cost)
        return reply

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatReply, None]:
        """Answer piece by piece. Raises as `complete`."""
        most = most_cost(request, self._price)
        await self._budget.reserve(most)
        cost = 0.0
        try:
            async with aclosing(self._provider.stream(request)) as pieces:
                async for piece in pieces:
                    cost = _cost(piece, most) if isinstance(piece, ChatReply) else most
                    yield piece
        finally:
            self._budget.settle(most, cost)

    async def aclose(self) -> None:
        """Close the provider behind."""
        await self._provider.aclose()


def most_cost(request: ChatRequest, price: Price) -> float:
    """Return the most that a request can cost, in USD."""
    texts = [message.content for message in request.messages]
    if request.form is not None:
        texts.append(canonical(request.form))
    prompt = sum(len(text.encode("utf-8", "replace")) + _MARKS for text in texts) + _MARKS
    return price.cost(prompt, 0, request.max_tokens)


def _cost(reply: ChatReply, most: float) -> float:
    return most if reply.usage.cost is None else reply.usage.cost
