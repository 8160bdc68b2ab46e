"""How many pairs to ask of which chunk, and of which sort, so that N spreads over the whole corpus."""

from __future__ import annotations

import heapq
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import NamedTuple, TypeVar

from doceo.core.records import Chunk, Kind, Order, OrderForm

LEAST_TOKENS = 24
"""A chunk shorter than this holds too little to ask about."""
LEAST_WORDS = 12
"""And one with fewer different words."""

_WORD = re.compile(r"[^\W\d_]{3,}")
_WIDE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
T = TypeVar("T")


class Slot(NamedTuple):
    """A chunk and how many pairs it is to give."""

    chunk: Chunk
    n: int


class Wish(NamedTuple):
    """A sort of pair of which `n` are wanted in one order."""

    form: OrderForm
    kinds: tuple[Kind, ...]
    n: int


def information(chunk: Chunk) -> int:
    """Return how much a chunk holds to ask about: its different words; letters count by two where none are spaced.

    0 for what is no running text: an index, a menu, a block of numbers.
    """
    wide = _WIDE.findall(chunk.text)
    words = _WORD.findall(chunk.text)
    letters = sum(map(len, words))
    size = len(chunk.text.replace(" ", ""))
    different = len(set(words)) if len(wide) < 0.3 * size else len(set(wide)) // 2
    enough = chunk.tokens >= LEAST_TOKENS and different >= LEAST_WORDS
    return different if enough and letters > 0.5 * size else 0


def slots(
    ready: Sequence[Chunk], n: int, most: int, weight: Mapping[str, float], asked: Mapping[str, int]
) -> list[Slot]:
    """Return how many pairs each chunk is to give, in corpus order; together n, or less where `most` forbids it.

    Every chunk is asked once when n allows, the least asked first; of chunks asked equally often, as many as fit are
    taken evenly spaced. Further pairs go where there is more information, by highest averages (D'Hondt).

    Args:
        ready: The chunks that may be asked, in corpus order.
        n: Pairs still wanted.
        most: Most pairs of one chunk.
        weight: Information of every chunk, by id.
        asked: Pairs already asked of each chunk.
    """
    given: dict[str, int] = {}
    for level in sorted({asked.get(chunk.id, 0) for chunk in ready}):
        group = [chunk for chunk in ready if asked.get(chunk.id, 0) == level]
        left = n - len(given)
        given |= {chunk.id: 1 for chunk in (group if left >= len(group) else evenly(group, max(0, left)))}
    averages = [(-weight[chunk.id] / 2, i) for i, chunk in enumerate(ready)] if len(given) < n and most > 1 else []
    heapq.heapify(averages)
    for _ in range(n - len(given)):
        if not averages:
            break
        _, i = heapq.heappop(averages)
        chunk = ready[i]
        given[chunk.id] += 1
        if given[chunk.id] < most:
            heapq.heappush(averages, (-weight[chunk.id] / (given[chunk.id] + 1), i))
    return [Slot(chunk, given[chunk.id]) for chunk in ready if chunk.id in given]


def by_topic(
    ready: Sequence[Chunk], n: int, shares: Mapping[str, int], topic_of: Mapping[str, str]
) -> list[tuple[list[Chunk], int]]:
    """Split n among the topics that have a share, and all others together: (their chunks, their pairs).

    Args:
        ready: The chunks that may be asked, in corpus order.
        n: Pairs still wanted.
        shares: Pairs still wanted of a topic, by its label.
        topic_of: Label of every chunk, by id.
    """
    groups: list[tuple[list[Chunk], int]] = []
    left = n
    for label, wanted in sorted(shares.items()):
        mine = [chunk for chunk in ready if topic_of.get(chunk.id) == label]
        take = min(wanted, left) if mine else 0
        left -= take
        groups.append((mine, take))
    groups.append(([chunk for chunk in ready if topic_of.get(chunk.id) not in shares], left))
    return [(chunks, count) for chunks, count in groups if chunks and count > 0]


def orders(
    planned: Sequence[Slot],
    wishes: Sequence[Wish],
    related: Callable[[Chunk], Chunk | None],
    known: Mapping[str, Sequence[str]],
    language: Mapping[str, str],
) -> list[Order]:
    """Return the orders of a plan, in corpus order: wishes take the place of ordinary pairs, evenly spread.

    Args:
        planned: What every chunk is to give.
        wishes: Sorts of pairs that are wanted; each takes the place of as many pairs of its chunk, and a chunk that
            was to give fewer gives more instead.
        related: A chunk that shares a name or term with a chunk, for pairs that need both; None where there is none.
        known: Questions that exist already, by chunk id.
        language: Language of every document, by its id.
    """
    left = [slot.n for slot in planned]
    made: list[list[Order]] = [[] for _ in planned]

    def order(chunks: tuple[Chunk, ...], form: OrderForm, kinds: tuple[Kind, ...], n: int) -> Order:
        asked = tuple(question for chunk in chunks for question in known.get(chunk.id, ()))
        spoken = language.get(chunks[0].document_id, "")
        return Order(form=form, chunks=chunks, n=n, kinds=kinds, known=asked, language=spoken)

    for i, wish in _dealt(wishes, planned):
        chunks: tuple[Chunk, ...] = (planned[i].chunk,)
        if wish.form == "multi-hop":
            other = related(planned[i].chunk)
            if other is None:
                continue
            chunks = (planned[i].chunk, other)
        made[i].append(order(chunks, wish.form, wish.kinds, wish.n))
        left[i] = max(0, left[i] - wish.n)
    for i, slot in enumerate(planned):
        if left[i]:
            made[i].insert(0, order((slot.chunk,), "pairs", (), left[i]))
    return [one for orders_of_chunk in made for one in orders_of_chunk]


def _dealt(wishes: Sequence[Wish], planned: Sequence[Slot]) -> list[tuple[int, Wish]]:
    """Return (position of a slot, wish), each wish at a slot of its own while there are enough, evenly spread.

    Wishes of one sort come one after another, so those of a sort are spread too.
    """
    if not planned:
        return []
    count = min(len(wishes), len(planned) * 2)
    places = [(2 * i + 1) * len(planned) // (2 * count) for i in range(count)] if count else []
    sorts: dict[tuple[str, ...], list[Wish]] = {}
    for wish in wishes:
        sorts.setdefault((wish.form, *wish.kinds), []).append(wish)
    mixed = sorted(
        ((2 * i + 1) / (2 * len(group)), key, wish) for key, group in sorts.items() for i, wish in enumerate(group)
    )
    return [(place, wish) for place, (_, _, wish) in zip(places, mixed, strict=False)]


def evenly(items: Sequence[T], n: int) -> list[T]:
    """Return n items evenly spaced over a sequence."""
    return [items[(2 * i + 1) * len(items) // (2 * n)] for i in range(n)]


def ready_chunks(chunks: Sequence[Chunk], weight: Mapping[str, float], tired: Collection[str]) -> list[Chunk]:
    """Return the chunks that hold something to ask about and have not run dry, in corpus order."""
    return [chunk for chunk in chunks if weight[chunk.id] > 0 and chunk.id not in tired]
