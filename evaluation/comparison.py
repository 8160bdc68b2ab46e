"""Systems set beside each other: on which questions, and how their differences and slices read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from doceo.core.errors import NotComparable
from doceo.core.records import Answered, Score, Slice
from evaluation.table import SIGNIFICANT, Cell, direction, number

DIFFERENCES = ["system", "metric", "n", "difference", "p", "d", "sees", ""]
MOST_KEYS = 12
"""Slices of an axis that are shown, the largest."""


def shared(answered: Mapping[str, Sequence[Answered]]) -> tuple[dict[str, list[Answered]], list[str]]:
    """Return the answers to the questions that all systems answered, and words on what that leaves out.

    A question belongs to its set: one that was taught to one system and kept from another is not shared.

    Raises:
        NotComparable: there is none, or one of them has other words or references elsewhere.
    """
    asked = {
        name: {(line.set, line.pair_id): (line.question, line.references) for line in lines}
        for name, lines in answered.items()
    }
    first, *others = asked
    common = set(asked[first]).intersection(*(asked[name] for name in others))
    for name in others:
        if odd := sorted(key for key in common if asked[name][key] != asked[first][key]):
            raise NotComparable(
                f"{first} and {name} were asked question {odd[0][1]} of {odd[0][0]} with other words or references.",
                hint="Their test sets differ under the same ids; make the answers of one again with --fresh.",
            )
    if not common:
        raise NotComparable(
            f"{', '.join(asked)} have no question in common.",
            hint="Evaluate them on one test set, or name other --systems.",
        )
    whole = set().union(*asked.values())
    left_out = len(whole) - len(common)
    notes = [f"{left_out} of {len(whole)} questions were not answered by all, and do not count"] if left_out else []
    kept = {name: [line for line in lines if (line.set, line.pair_id) in common] for name, lines in answered.items()}
    return kept, notes


def differences(scores: Sequence[Score], primary: str) -> list[list[str]]:
    """Return the rows below `DIFFERENCES` of one set's scores: the primary metric, and what else differs beyond chance.

    `p` is corrected for all differences of the set, `d` is Cohen's, and `sees` the smallest true difference that would
    be found four times in five.
    """
    compared = [score for score in scores if score.versus]
    shown = [score for score in compared if score.metric == primary or direction(score)]
    return [
        [
            score.system,
            score.label,
            str(score.n),
            _interval(score, sign=True),
            "n/a" if score.p_holm is None else f"{score.p_holm:.2g}",
            "n/a" if score.effect is None else f"{score.effect:+.2f}",
            "n/a" if score.detectable is None else number(score.detectable, score.unit),
            direction(score),
        ]
        for score in shown
    ]


def slice_rows(slices: Sequence[Slice], systems: Sequence[str]) -> list[list[str]]:
    """Return a row for each key of one set, metric and axis: the key, its questions, and every system's value.

    The largest slices come first; of more than `MOST_KEYS` only so many are shown.
    """
    single = {(one.key, one.system): one for one in slices if not one.versus}
    paired = {(one.key, one.system): one for one in slices if one.versus}
    sizes = {key: max(one.n for one in slices if one.key == key) for key in dict.fromkeys(s.key for s in slices)}
    return [
        [key, str(n), *(Cell(single.get((key, system)), paired.get((key, system))).text() for system in systems)]
        for key, n in sorted(sizes.items(), key=lambda item: -item[1])[:MOST_KEYS]
    ]


def _interval(score: Score, *, sign: bool = False) -> str:
    if score.value is None:
        return "n/a"
    value, *ends = [
        "" if amount is None else f"{'+' if sign and amount > 0 else ''}{number(amount, score.unit)}"
        for amount in (score.value, score.low, score.high)
    ]
    return f"{value} [{', '.join(ends)}]" if all(ends) else value


def reading(baseline: str) -> str:
    """Return how to read the table of differences."""
    return (
        f"Differences to {baseline} on the same questions, with 95 % intervals; p corrected for all differences of the "
        f"set (Holm), marked where below {SIGNIFICANT:g}; d: Cohen's; sees: the smallest true difference that would be "
        "found four times in five."
    )
