"""Pairs that ask nearly the same and both passed: how near they are, and what a person made of them.

A repeat is a matter of two pairs. What it is taken for shows in what becomes of both: one of two repeats is dropped,
two different questions are both kept; of two answers that exclude each other at least one is dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from doceo.core.config import GateConfig
from doceo.core.records import Pair
from doceo.text.terms import shingles, terms
from generator.contradiction import agreeing, disagreement, substance, told_apart
from generator.dedupe import asked
from generator.semantic import similar_pairs
from generator.shingles import ShingleIndex

if TYPE_CHECKING:
    from numpy.typing import NDArray

REACH = 0.3
"""How far below a line two questions may lie to be looked at."""


class Couple(NamedTuple):
    """Two pairs and the similarity of their questions."""

    similarity: float
    one: Pair
    other: Pair


Labels = list[tuple[float, bool]]
"""Similarities, each with whether a person took the couple for one that a check should have refused."""


def couples(
    pairs: Iterable[Pair],
    dropped: Collection[str],
    config: GateConfig,
    vectors: Mapping[str, NDArray[np.float32]] | None = None,
) -> dict[str, Labels]:
    """Return the couples that a lower line would have refused, for each check of questions that has a line.

    Every pair stands in one couple of a check at most, its nearest, so that one drop is one label.

    Args:
        pairs: Pairs that passed and that a person decided on.
        dropped: Ids of those dropped; all others were kept.
        config: Where the lines are.
        vectors: Unit vectors of `asked(pair)` by pair id; without them only `near` is looked at.
    """
    ordered = sorted((pair for pair in pairs if pair.answerable), key=lambda pair: pair.id)

    def repeat(couple: Couple) -> bool | None:
        out = (couple.one.id in dropped) + (couple.other.id in dropped)
        return None if out == 2 or not _repeats(couple.one, couple.other) else out == 1

    def contradiction(couple: Couple) -> bool | None:
        if not _contradicts(couple.one, couple.other):
            return None
        return couple.one.id in dropped or couple.other.id in dropped

    found: dict[str, Labels] = {"near": _labels(_near(ordered, config.near), config.near, repeat)}
    if vectors is not None:
        close = _close(ordered, vectors, min(config.semantic, config.contradiction) - REACH)
        found["semantic"] = _labels(close, config.semantic, repeat)
        found["contradiction"] = _labels(close, config.contradiction, contradiction)
    return found


def _labels(found: Iterable[Couple], line: float, label: Callable[[Couple], bool | None]) -> Labels:
    """Return similarity and label of the couples below a line that have one, each pair in one couple at most."""
    taken: set[str] = set()
    labels: Labels = []
    for couple in sorted(found, key=lambda couple: (-couple.similarity, couple.one.id, couple.other.id)):
        ids = {couple.one.id, couple.other.id}
        if couple.similarity < line and not taken & ids and (refused := label(couple)) is not None:
            taken |= ids
            labels.append((couple.similarity, refused))
    return labels


def _repeats(one: Pair, other: Pair) -> bool:
    """Tell whether nothing but the line lets two pairs stand side by side; one fact asked twice on purpose may."""
    if one.evidence == other.evidence or substance(asked(one)) == substance(asked(other)):
        return False
    return agreeing(one, other) and not told_apart(asked(one), asked(other))


def _contradicts(one: Pair, other: Pair) -> bool:
    here, there = asked(one), asked(other)
    return (
        substance(here, loose=True) == substance(there, loose=True)
        and substance(here) != substance(there)
        and bool(disagreement(one, other))
    )


def _near(pairs: Sequence[Pair], line: float) -> list[Couple]:
    index = ShingleIndex(max(0.05, line - REACH))
    found = []
    for pair in pairs:
        said = shingles(terms(asked(pair)))
        found += [Couple(similarity, pairs[number], pair) for number, similarity in index.query(said)]
        index.add(said)
    return found


def _close(pairs: Sequence[Pair], vectors: Mapping[str, NDArray[np.float32]], least: float) -> list[Couple]:
    known = [pair for pair in pairs if pair.id in vectors]
    if len(known) < 2:
        return []
    first, second, cosines = similar_pairs(np.stack([vectors[pair.id] for pair in known]), least)
    places = zip(first.tolist(), second.tolist(), cosines.tolist(), strict=True)
    return [Couple(round(cosine, 4), known[a], known[b]) for a, b, cosine in places]
