"""What is quoted around the sentence that answers, so that it can be understood alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.reading import LEANS, Candidate
from rag.units import Unit

_LISTED = frozenset({"item", "row"})
MOST_WORDS = 60
"""Most words of what is quoted, unless one sentence has more."""
_CLOSE, _ADDS = 0.7, 0.15
"""A second sentence is quoted where its score is this near the best and it covers this much more of the question."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Neighbouring units of one passage, and where the header of a table stands that they belong to."""

    passage: int
    units: tuple[Unit, ...]

    @property
    def start(self) -> int:
        """Where it begins in the passage's text."""
        return self.units[0].start

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.units[-1].end

    @property
    def header(self) -> tuple[int, int] | None:
        """Where the header of its rows stands."""
        return next((unit.header for unit in self.units if unit.header), None)

    @property
    def text(self) -> str:
        """How it reads: sentences on one line, each item of a list on its own."""
        said = self.units[0].text
        for before, unit in zip(self.units, self.units[1:], strict=False):
            own_line = unit.kind in _LISTED and unit.block != before.block
            said += f"\n- {unit.text}" if own_line else f" {unit.text}"
        return said


def excerpts(candidates: Sequence[Candidate], passages: Sequence[Sequence[Unit]]) -> list[Excerpt]:
    """Return what is quoted: the best sentence with what it needs, or a second one beside it, best first.

    Args:
        candidates: What was read closely, best first; at least one.
        passages: The units of each passage.
    """
    best = candidates[0]
    units = passages[best.passage]
    at = units.index(best.unit)
    first, last = _wider(units, at)
    if last > first:
        return [Excerpt(best.passage, tuple(units[first : last + 1]))]
    chosen = [Excerpt(best.passage, (best.unit,))]
    for other in candidates[1:2]:
        adds = other.feature("coverage") - best.feature("coverage")
        is_close = other.score >= best.score - _CLOSE and adds >= _ADDS
        if is_close and _words([best.unit, other.unit]) <= MOST_WORDS and other.text != best.text:
            chosen.append(Excerpt(other.passage, (other.unit,)))
    return chosen


def _wider(units: Sequence[Unit], at: int) -> tuple[int, int]:
    """Return the first and the last of the units that are quoted with one."""
    unit = units[at]
    if unit.kind == "prose" and unit.text.endswith(":"):
        return at, _end_of_list(units, at)
    if unit.kind == "item" and not unit.fields:
        lead = _lead_in(units, at)
        if lead is not None and _words(units[lead : at + 1]) <= MOST_WORDS:
            return lead, at
    before = at - 1
    leans = before >= 0 and units[before].block == unit.block and LEANS.match(unit.text)
    return (before, at) if leans and _words(units[before : at + 1]) <= MOST_WORDS else (at, at)


def _end_of_list(units: Sequence[Unit], at: int) -> int:
    """Return the last item or row of the list below, as far as there is room."""
    last = at
    while last + 1 < len(units) and units[last + 1].kind in _LISTED and _words(units[at : last + 2]) <= MOST_WORDS:
        last += 1
    return last


def _lead_in(units: Sequence[Unit], at: int) -> int | None:
    """Return the sentence with a colon that stands above an item's list."""
    while at >= 0 and units[at].kind == "item":
        at -= 1
    return at if at >= 0 and units[at].kind == "prose" and units[at].text.endswith(":") else None


def _words(units: Sequence[Unit]) -> int:
    return sum(len(unit.text.split()) for unit in units)
