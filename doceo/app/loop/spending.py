"""What became of a loop's budget where areas had less to ask about than they were to give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from doceo.core.loop import Arm, Series

ARMS: dict[Arm, str] = {"gap": "gap (by weakness)", "even": "even"}
NAMED = 5
"""Areas that a sentence names, those of the most pairs first."""


def spending(every: Sequence[Series]) -> Iterator[str]:
    """Yield, for every arm, which areas gave fewer pairs than they were to give, and which gave them instead.

    Counted is over all rounds of all seeds of an arm. Arms of which the same is to be said share a sentence.
    """
    said: dict[str, list[Arm]] = {}
    for arm in dict.fromkeys(series.arm for series in every):
        if words := _words([series for series in every if series.arm == arm]):
            said.setdefault(words, []).append(arm)
    for words, arms in said.items():
        yield f"{' and '.join(ARMS[arm] for arm in arms)}: {words}"


def _words(group: Sequence[Series]) -> str:
    rounds = [one for series in group for one in series.rounds]
    wanted = sum((Counter(one.allotted) for one in rounds), Counter[str]())
    made = sum((Counter(one.made) for one in rounds), Counter[str]())
    short, more = wanted - made, made - wanted  # counters leave out what is not positive
    if not short:
        return ""
    seeds = f" of all {len(group)} seeds" if len(group) > 1 else ""
    total = wanted.total()
    few = _listed({area: f"{made[area]} of {wanted[area]}" for area, _ in short.most_common()})
    line = f"{short.total()} of {total} pairs{seeds} could not be made where they were to be: {few}."
    if more:
        line += f" Other areas gave {more.total()} instead: {_listed({a: f'{n} more' for a, n in more.most_common()})}."
    if missing := short.total() - more.total():
        line += f" {missing} {'was' if missing == 1 else 'were'} not made at all."
    return line


def _listed(areas: Mapping[str, str]) -> str:
    parts = [f"\u201c{area}\u201d {words}" for area, words in areas.items()]
    rest = len(parts) - NAMED
    return "; ".join([*parts[:NAMED], f"{rest} other{'s' if rest > 1 else ''}"] if rest > 0 else parts)
