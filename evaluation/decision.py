"""Which systems are better than which, and what that says to do.

The rule: a system beats another where it is surely better on a set (p < .05 after Holm's correction for all comparisons
of the contest, and an interval without zero) and surely worse on none. Advised is the simplest of the systems that beat
every model alone and are beaten by nobody; where there is none, the figures cannot tell. So nothing is ever advised for
a difference that could be chance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from doceo.core.records import Score
from evaluation.costs import Cost
from evaluation.table import Direction, direction
from evaluation.traits import RECORDED, tuned, with_documents

Advice = Literal["fine-tune", "retrieve", "both", "either", "neither", "undecided"]
_ADVICE: dict[tuple[bool, bool], Advice] = {
    (True, False): "fine-tune",
    (False, True): "retrieve",
    (True, True): "both",
    (False, False): "neither",
}


@dataclass(frozen=True)
class Decision:
    """What to do: the systems advised, those that nobody beats, and what all are measured against."""

    advice: Advice
    systems: tuple[str, ...]
    unbeaten: tuple[str, ...]
    alone: tuple[str, ...]


@dataclass(frozen=True)
class Field:
    """The systems of a contest, with the values and differences of `evaluation.contest`."""

    scores: Sequence[Score]

    @cached_property
    def systems(self) -> tuple[str, ...]:
        """Every system that has a value, in order."""
        return tuple(dict.fromkeys(score.system for score in self.scores if not score.versus))

    @cached_property
    def candidates(self) -> tuple[str, ...]:
        """The systems that could be chosen: answers that were only recorded cannot."""
        return tuple(system for system in self.systems if system != RECORDED)

    @cached_property
    def _differences(self) -> dict[tuple[str, str], list[Score]]:
        found: dict[tuple[str, str], list[Score]] = {}
        for score in self.scores:
            if score.versus and score.value is not None:
                found.setdefault((score.system, score.versus), []).append(score)
                found.setdefault((score.versus, score.system), []).append(_turned(score))
        return found

    def between(self, system: str, other: str) -> list[Score]:
        """Return the differences of a system to another, one for every set on which both are judged."""
        return self._differences.get((system, other), [])

    def beats(self, system: str, other: str) -> bool:
        """Return whether a system is surely better than another on a set, and surely worse on none."""
        directions = {sure(score) for score in self.between(system, other)}
        return "better" in directions and "worse" not in directions


def sure(difference: Score) -> Direction:
    """Return better or worse where both the corrected p-value and the interval say so."""
    if difference.low is None or difference.high is None or difference.low <= 0 <= difference.high:
        return ""
    return direction(difference)


def parts(system: str) -> int:
    """Return what a system has beside its model: an adapter, documents, both, or nothing."""
    return tuned(system) + with_documents(system)


def decide(field: Field, cost: Mapping[str, Cost]) -> Decision:
    """Return what to do by the rule of this module; of equally simple systems of one kind, the fastest is taken."""
    candidates = field.candidates
    alone = tuple(system for system in candidates if not parts(system))
    unbeaten = tuple(s for s in candidates if not any(field.beats(other, s) for other in candidates))
    if len(candidates) < 2:
        return Decision("undecided", (), unbeaten, alone)
    if len(unbeaten) == 1 and unbeaten[0] in alone and _proven(field, unbeaten[0], ()):
        return Decision("neither", unbeaten, unbeaten, alone)
    proven = [system for system in unbeaten if system not in alone and _proven(field, system, alone)]
    if not proven:
        return Decision("undecided", (), unbeaten, alone)
    simplest = [system for system in proven if parts(system) == min(map(parts, proven))]
    kinds = dict.fromkeys(map(_kind, simplest))
    advised = tuple(min((s for s in simplest if _kind(s) == kind), key=lambda s: _seconds(cost, s)) for kind in kinds)
    return Decision("either" if len(kinds) > 1 else next(iter(kinds)), advised, unbeaten, alone)


def _proven(field: Field, system: str, alone: Sequence[str]) -> bool:
    """Return whether a system beats every model alone, or where none was asked, any system."""
    if alone:
        return all(field.beats(system, other) for other in alone)
    return any(field.beats(system, other) for other in field.candidates)


def _kind(system: str) -> Advice:
    return _ADVICE[tuned(system), with_documents(system)]


def _seconds(cost: Mapping[str, Cost], system: str) -> float:
    seconds = cost[system].p50 if system in cost else None
    return float("inf") if seconds is None else seconds


def _turned(score: Score) -> Score:
    """Return a difference as the other system's."""

    def minus(value: float | None) -> float | None:
        return None if value is None else -value + 0.0

    turned = {"value": minus(score.value), "low": minus(score.high), "high": minus(score.low)}
    named = {"system": score.versus, "versus": score.system, "effect": minus(score.effect)}
    return score.model_copy(update={**turned, **named})
