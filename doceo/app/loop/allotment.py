"""How a round's new pairs are divided among the areas of the text."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import floor

from doceo.core.records import Gap
from generator.corpus import Corpus


def text_of_areas(corpus: Corpus) -> dict[str, float]:
    """Return how much there is to ask about in every area (`Corpus.topics`): different words of its passages."""
    sizes: dict[str, float] = {}
    for chunk in corpus.chunks:
        if weight := corpus.weight[chunk.id]:
            label = corpus.topic_of(chunk)
            sizes[label] = sizes.get(label, 0.0) + weight
    return dict(sorted(sizes.items()))


def even(n: int, sizes: Mapping[str, float], have: Mapping[str, int], dry: Collection[str] = ()) -> dict[str, int]:
    """Return n divided by how much text there is; areas that ran dry get nothing. Arguments as in `by_weakness`."""
    return _divided(n, {area: size for area, size in sizes.items() if area not in dry}, have)


def by_weakness(
    n: int,
    sizes: Mapping[str, float],
    have: Mapping[str, int],
    gaps: Sequence[Gap],
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
        have: Pairs that every area has already.
        gaps: Weakness of the areas, `covered` being the share of an area's text that was asked about.
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
        return _divided(n, live, have)
    shares = {area: explore * size / whole + (1 - explore) * wanted[area] / total for area, size in live.items()}
    return _divided(n, shares, have)


def _divided(n: int, shares: Mapping[str, float], have: Mapping[str, int]) -> dict[str, int]:
    """Return whole numbers by largest remainders; of equal ones those with the fewest pairs for their share first."""
    total = sum(shares.values())
    if not total:
        return {}
    exact = {area: n * share / total for area, share in shares.items() if share > 0}
    counts = {area: floor(number + 1e-9) for area, number in exact.items()}

    def turn(area: str) -> tuple[float, float, str]:
        return round(counts[area] - exact[area], 9), (have.get(area, 0) + counts[area]) / shares[area], area

    for area in sorted(exact, key=turn)[: n - sum(counts.values())]:
        counts[area] += 1
    return {area: count for area, count in counts.items() if count}
