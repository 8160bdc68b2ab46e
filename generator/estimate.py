"""What a generation would take of its models, before anything is asked: calls, tokens, USD, each as a range."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from doceo.core.protocols import Teacher
from doceo.core.records import ChatReply, ChatRequest, Document, Order, Record
from generator.languages import WIDE

SAMPLE = 25
"""Orders whose requests are really written, evenly over the plan."""
PAIR_TOKENS = (60, 160)
"""Tokens that a model writes for one pair: question, answer, quote and their JSON."""
CHECK_TOKENS = {"roundtrip": (3, 4, 180, 60), "judge": (1, 1, 650, 180)}
"""For every pair: calls at least and at most, prompt tokens beside the passage, and tokens written, of each check."""
REWORDING = (180, 30)
"""Tokens read and written for a question in other words."""
LOSSES = (1.1, 1.8)
"""Orders that are asked in all, by orders of the first round: few or many pairs are rejected and asked for again."""
_CHARACTERS = 4.0
"""Characters of a token in a text of words; a character of Chinese or Japanese counts as one."""


class Range(Record):
    """At least and at most."""

    low: float
    high: float


class Estimate(Record):
    """What a generation would take. `usd` is None where the model has no known price."""

    pairs: int
    calls: Range
    prompt_tokens: Range
    completion_tokens: Range
    usd: Range | None

    def __str__(self) -> str:
        """Return the estimate in a line."""
        cost = f"{self.usd.low:.2f} to {self.usd.high:.2f} USD" if self.usd else "at a price that is not known"
        return (
            f"{self.pairs} pairs would take about {self.calls.low:,.0f} to {self.calls.high:,.0f} calls, "
            f"{self.prompt_tokens.low:,.0f} to {self.prompt_tokens.high:,.0f} tokens read and "
            f"{self.completion_tokens.low:,.0f} to {self.completion_tokens.high:,.0f} written: {cost}."
        )


class Measuring:
    """A chat model that only notes what it is asked, and has nothing to say."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.requests: list[ChatRequest] = []

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Note a request; the reply holds no pairs."""
        self.requests.append(request)
        return ChatReply(text='{"pairs": []}')


def tokens_of(text: str) -> float:
    """Return about how many tokens a text is."""
    wide = len(WIDE.findall(text))
    return wide + (len(text) - wide) / _CHARACTERS


async def first_requests(
    teacher: Teacher, measuring: Measuring, orders: Sequence[Order], documents: Mapping[str, Document]
) -> list[float]:
    """Return the tokens of the request that each order of a sample would begin with.

    Args:
        teacher: Writes requests and sends them to `measuring`.
        measuring: The model behind it.
        orders: The orders of the first round.
        documents: All documents, by id.
    """
    step = max(1, len(orders) // SAMPLE)
    found: list[float] = []
    for order in orders[::step]:
        before = len(measuring.requests)
        await teacher.propose(order, documents)
        asked = measuring.requests[before]
        found.append(sum(tokens_of(message.content) for message in asked.messages))
    return found


def estimate(
    orders: Sequence[Order],
    requests: Sequence[float],
    pairs: int,
    rewordings: int,
    checks: Sequence[str],
    price: tuple[float, float] | None,
) -> Estimate:
    """Return the estimate of a generation.

    Args:
        orders: The orders of the first round.
        requests: Tokens of a sample of their requests.
        pairs: Pairs wanted.
        rewordings: Of these, questions that are asked again in other words.
        checks: Names of the checks by a model.
        price: USD for a million tokens read and written; None where it is not known.
    """
    passage = sum(tokens_of(order.chunk.text) for order in orders) / max(1, len(orders))
    request = sum(requests) / max(1, len(requests))
    asked = sum(order.n for order in orders)
    sides: list[tuple[float, float, float]] = []
    for side in (0, 1):
        calls = len(orders) * LOSSES[side] + rewordings
        read = len(orders) * LOSSES[side] * request + rewordings * REWORDING[0]
        written = asked * LOSSES[side] * PAIR_TOKENS[side] + rewordings * REWORDING[1]
        for name in checks:
            least_most = CHECK_TOKENS[name]
            checked = asked * LOSSES[side] * least_most[side]
            calls += checked
            read += checked * (passage + least_most[2])
            written += checked * least_most[3]
        sides.append((calls, read, written))
    asking, reading, writing = (Range(low=round(low), high=round(high)) for low, high in zip(*sides, strict=True))
    usd = None
    if price is not None:
        usd = Range(
            low=round((reading.low * price[0] + writing.low * price[1]) / 1e6, 4),
            high=round((reading.high * price[0] + writing.high * price[1]) / 1e6, 4),
        )
    return Estimate(pairs=pairs, calls=asking, prompt_tokens=reading, completion_tokens=writing, usd=usd)
