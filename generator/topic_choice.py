"""Which pairs are kept where topics have shares of their own: each topic is chosen from by itself, then the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from doceo.core.records import Pair
from generator.balance import Quotas, quota_counts, select

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def select_by_topic(
    pool: Sequence[Pair],
    n: int,
    order: Mapping[str, int],
    kept: Sequence[Pair],
    quotas: Quotas,
    vectors: Mapping[str, NDArray[np.float32]] | None,
) -> list[Pair]:
    """Return n pairs of the pool, or all if fewer, for the arguments of `generator.balance.select`.

    `select` spreads pairs over the whole corpus before it looks at quotas: a topic of few passages would never get
    more than they are of all. So the spread is over the passages of each topic that has a share, up to that share;
    what is missing to n then comes from topics without one, and last from all.
    """
    if not quotas.topics:
        return select(pool, n, order, kept, quotas=quotas, vectors=vectors)
    rest = replace(quotas, topics={})
    wanted = quota_counts(n + len(kept), dict(quotas.topics))
    chosen: list[Pair] = []
    for label, target in sorted(wanted.items()):
        held = [pair for pair in kept if pair.topic == label]
        some = [pair for pair in pool if pair.topic == label]
        missing = min(target - len(held), n - len(chosen))
        chosen += select(some, missing, order, held, quotas=rest, vectors=vectors)
    for others in ([pair for pair in pool if pair.topic not in wanted], pool):
        have = {pair.id for pair in chosen}
        left = [pair for pair in others if pair.id not in have]
        chosen += select(left, n - len(chosen), order, [*kept, *chosen], quotas=rest, vectors=vectors)
    return sorted(chosen, key=lambda p: (order[p.chunk_ids[0]], p.evidence[0].span.start if p.evidence else 0, p.id))
