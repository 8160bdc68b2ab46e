"""Systems set beside each other: on which questions, and how their differences and slices read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from doceo.core.errors import NotComparable
from doceo.core.records import Answered, Question, Score, SetName, Slice
from evaluation.compact import Part, in_parts
from evaluation.table import SIGNIFICANT, Cell, direction, number

Key = tuple[SetName, str]
"""A question: its set and id."""
DIFFERENCES = ["system", "metric", "n", "difference", "p", "d", "sees", ""]
MOST_KEYS = 12
"""Slices of an axis that are shown, the largest."""


def asked(lines: Iterable[Answered], questions: Iterable[Question]) -> dict[Key, object]:
    """Return every question that was answered, with all that decides what a right answer is.

    Args:
        lines: The answers.
        questions: What is known of the questions, in any order.
    """
    known = {(question.set, question.pair_id): question for question in questions}
    found: dict[Key, object] = {}
    for line in lines:
        about = known.get((line.set, line.pair_id))
        more = (about.history, about.evidence, about.answerable) if about else ()
        found[line.set, line.pair_id] = (line.question, line.references, more)
    return found


def shared(
    answered: Mapping[str, Sequence[Answered]], questions: Mapping[str, Sequence[Question]]
) -> tuple[dict[str, list[Answered]], list[str]]:
    """Return the answers to the questions that all systems answered, and words on what that leaves out.

    A question belongs to its set: one that was taught to one system and kept from another is not shared. Neither is one
    that has other words, turns before it, references or evidence for one of them: what is right differs then.

    Args:
        answered: System -> its answers.
        questions: System -> what is known of the questions that it was asked.

    Raises:
        NotComparable: there is none.
    """
    of = {name: asked(lines, questions.get(name, ())) for name, lines in answered.items()}
    first, *others = of.values()
    by_all = set(first).intersection(*others)
    common = {key for key in by_all if all(other[key] == first[key] for other in others)}
    odd = len(by_all) - len(common)
    if not common:
        differ = f": {odd} have other words, references or evidence under the same ids" if odd else ""
        raise NotComparable(
            f"{', '.join(of)} have no question in common{differ}.",
            hint="Evaluate them on one test set, or name other --systems.",
        )
    whole = set().union(*of.values())
    counts = {
        "were not answered by all": len(whole) - len(by_all),
        "have other words, references or evidence for some": odd,
    }
    notes = [f"{n} of {len(whole)} questions {words}, and do not count" for words, n in counts.items() if n]
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


def slice_tables(slices: Sequence[Slice], systems: Sequence[str], width: int) -> list[Part]:
    """Return (headers, rows) of one set, metric and axis as one table of `width` characters, or as several.

    One row for each key: the key, its questions, and every system's value. The largest slices come first; of more than
    `MOST_KEYS` only so many are shown.
    """
    headers = [slices[0].axis, "n", *systems]
    whole = in_parts(headers, _slice_rows(slices, systems, Cell.text), 2, width)
    return whole if len(whole) == 1 else in_parts(headers, _slice_rows(slices, systems, Cell.stacked), 2, width)


def _slice_rows(slices: Sequence[Slice], systems: Sequence[str], text: Callable[[Cell, int], str]) -> list[list[str]]:
    single = {(one.key, one.system): one for one in slices if not one.versus}
    paired = {(one.key, one.system): one for one in slices if one.versus}
    sizes = {key: max(one.n for one in slices if one.key == key) for key in dict.fromkeys(s.key for s in slices)}
    return [
        [key, str(n), *(text(Cell(single.get((key, system)), paired.get((key, system))), n) for system in systems)]
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
