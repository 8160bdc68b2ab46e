"""How a round's new pairs are divided among the areas of the text."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import floor

from doceo.core.fingerprint import sha256
from doceo.core.records import Gap
from generator.corpus import Corpus

GOLDEN = (5**0.5 - 1) / 2


def text_of_areas(corpus: Corpus) -> dict[str, float]:
    """Return how much there is to ask about in every area (`Corpus.topics`): different words of its passages."""
    sizes: dict[str, float] = {}
    for chunk in corpus.chunks:
        if weight := corpus.weight[chunk.id]:
            label = corpus.topic_of(chunk)
            sizes[label] = sizes.get(label, 0.0) + weight
    return dict(sorted(sizes.items()))


def even(n: int, sizes: Mapping[str, float], offset: float, dry: Collection[str] = ()) -> dict[str, int]:
    """Return n divided by how much text there is; areas that ran dry get nothing. Arguments as in `by_weakness`."""
    return divided(n, {area: size for area, size in sizes.items() if area not in dry}, offset)


def by_weakness(
    n: int,
    sizes: Mapping[str, float],
    gaps: Sequence[Gap],
    offset: float,
    *,
    explore: float,
    focus: float,
    dry: Collection[str] = (),
) -> dict[str, int]:
    """Return n divided by what there is to gain: a share evenly, the rest where the model is weak.

    A pair teaches something if the model does not know its fact, the chance of which is the area's weakness; and an
    area has the fewer such facts left the more of its text was asked about. The power `focus` of the weakness says how
    far to trust that: in proportion (1), or more than that for the weakest.

    Args:
        n: New pairs.
        sizes: How much text every area has.
        gaps: Weakness of the areas, `covered` being the share of an area's text that was asked about.
        offset: See `divided`.
        explore: Share that is divided evenly, 0 to 1: what nobody asked about stays visible.
        focus: Power of the weakness.
        dry: Areas that gave fewer pairs than they were to give.
    """
    known = {gap.key: gap for gap in gaps}
    middle = sum(gap.weakness for gap in gaps) / len(gaps) if gaps else 1.0
    live = {area: size for area, size in sizes.items() if area not in dry}
    wanted: dict[str, float] = {}
    for area, size in live.items():
        gap = known.get(area)
        weakness, covered = (middle, 0.0) if gap is None else (gap.weakness, gap.covered or 0.0)
        wanted[area] = size * max(0.0, 1 - covered) * weakness**focus
    whole, total = sum(live.values()), sum(wanted.values())
    if not total:
        return divided(n, live, offset)
    shares = {area: explore * size / whole + (1 - explore) * wanted[area] / total for area, size in live.items()}
    return divided(n, shares, offset)


def divided(n: int, shares: Mapping[str, float], offset: float) -> dict[str, int]:
    """Return n in whole numbers, each its exact share rounded up or down; areas that get none are left out.

    Rounding is systematic (Madow 1949): an area whose share is 0.3 of a pair gets one in 3 of 10 rounds. The largest
    remainders would give all to the same areas, round by round.

    Args:
        n: What is divided.
        shares: In any unit.
        offset: 0 to less than 1, where rounding begins: another one in every round.
    """
    total = sum(shares.values())
    if not total:
        return {}
    counts: dict[str, int] = {}
    passed, below = 0.0, 0
    for area, share in sorted(shares.items()):
        passed += share
        upto = floor(n * passed / total + offset + 1e-9)
        counts[area] = upto - below
        below = upto
    return {area: count for area, count in counts.items() if count}


def spent_after(budget: int, rounds: int, number: int) -> int:
    """Return how many pairs there are to be after a round, of those of all rounds."""
    return round(budget * number / rounds)


def continued(budget: int, rounds: int) -> tuple[int, int]:
    """Return (budget, rounds) of a loop that goes on, its fewest more rounds leaving those there are as they are.

    Twice as many rounds with twice the budget always do.
    """
    so_far = [spent_after(budget, rounds, number) for number in range(1, rounds + 1)]
    for more in range(rounds + 1, 2 * rounds):
        near = budget * more // rounds
        for wanted in sorted(range(near - more, near + more + 1), key=lambda one: abs(one - near)):
            if [spent_after(wanted, more, number) for number in range(1, rounds + 1)] == so_far:
                return wanted, more
    return 2 * budget, 2 * rounds


def offset_of(seed: int, number: int) -> float:
    """Return where the rounding of a round begins: a seeded place, then by the golden ratio, which spreads evenly."""
    start = int(sha256(f"rounding {seed}")[:8], 16) / 16**8
    return (start + number * GOLDEN) % 1
