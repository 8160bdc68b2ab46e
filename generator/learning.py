"""What a run teaches the next one: the kinds that fail lose share, and a person's keeps and drops move the lines.

Everything here is a function of records: nothing is applied, and nothing is read or written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING

from data.review import Decision
from doceo.core.config import GateConfig
from doceo.core.records import Pair, Record, Rejected
from generator.carried import wordings
from generator.change import Change
from generator.couples import Labels, couples
from generator.lines import FROM_ABOVE, line_scores
from generator.refit import Line, refit
from generator.review import REASON
from generator.shares import learned_shares, proposals, share_changes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LEAST_DECISIONS = 20
"""Decisions that a line needs before it is refitted."""
LEAST_EACH = 5
"""And of these so many drops and so many keeps."""
ALPHA = 0.05
"""The chance of moving any line at all where no score has to do with what was dropped (Holm 1979)."""


class Learned(Record):
    """What was learned. `changes` names what was looked at, moved or not; `gate` and `kinds` are with it applied."""

    changes: tuple[Change, ...]
    gate: GateConfig
    kinds: dict[str, float]


def learned(
    accepted: Sequence[Pair],
    rejected: Sequence[Rejected],
    decisions: Iterable[Decision],
    gate: GateConfig,
    kinds: Mapping[str, float],
    *,
    named: bool = False,
    prompts: Mapping[str, str] | None = None,
    vectors: Mapping[str, NDArray[np.float32]] | None = None,
    seed: int = 0,
) -> Learned:
    """Return what to ask for and where to draw the lines, and each change with its reason.

    Args:
        accepted: Pairs of all runs that count, rewordings included.
        rejected: Their rejected pairs.
        decisions: What a person decided on the pairs.
        gate: The lines as the user set them.
        kinds: The mix as the user wants it, in percent; never shares that were learned before, or what was learned
            counts twice.
        named: Whether the user named that mix: then it stays, and the kinds that cost most are told of.
        prompts: Prompts that make one kind alone, hash -> kind, as `generator.shares.own_prompts` gives them.
        vectors: Unit vectors of `asked(pair)` by pair id, for the checks by vectors.
        seed: Of permutations and resamples.
    """
    decided = list(decisions)
    # A review has moved those dropped from the accepted to the rejected.
    reviewed = [*accepted, *(line.pair for line in rejected if line.verdict.reason == REASON)]
    lines = learned_lines(reviewed, decided, gate, vectors=vectors, seed=seed)
    found = proposals(wordings(accepted)[0], rejected, kinds, prompts or {})
    shares = dict(kinds) if named else learned_shares(kinds, found)
    changes = share_changes(kinds, shares, found, named=named)
    moved = {change.what.removeprefix("gate "): change.to for change in lines if change.changed}
    return Learned(changes=(*changes, *lines), gate=GateConfig(**{**gate.model_dump(), **moved}), kinds=shares)


def learned_lines(
    pairs: Sequence[Pair],
    decisions: Sequence[Decision],
    gate: GateConfig,
    *,
    vectors: Mapping[str, NDArray[np.float32]] | None = None,
    seed: int = 0,
) -> tuple[Change, ...]:
    """Return every line, moved where the decisions show, beyond chance, that another one is better.

    Only what passed was seen, so a line only ever becomes stricter. Arguments as for `learned`; `pairs` are those that
    passed, whatever was decided on them. Nothing where nobody decided anything.
    """
    dropped = {decision.pair_id for decision in decisions if decision.decision == "drop"}
    kept = {decision.pair_id for decision in decisions} - dropped
    by_id = {pair.id: pair for pair in pairs if pair.id in dropped | kept}
    seen = [by_id[pair_id] for pair_id in sorted(by_id)]
    if not seen:
        return ()
    labels: dict[str, Labels] = {**couples(seen, dropped, gate, vectors), **_scored(seen, dropped, gate)}
    fits = {
        name: refit([score for score, _ in found], [out for _, out in found], from_above=FROM_ABOVE[name], seed=seed)
        for name, found in labels.items()
        if not _too_few(found)
    }
    sure = _beyond_chance({name: line.p for name, line in fits.items() if line is not None}, len(fits))
    return tuple(_change(name, gate, found, fits.get(name), name in sure) for name, found in labels.items())


def _scored(pairs: Sequence[Pair], dropped: set[str], gate: GateConfig) -> dict[str, Labels]:
    """Return the labels of the checks that measure one pair; what another rule let pass is left out."""
    labels: dict[str, Labels] = {}
    for pair in pairs:
        for name, score in line_scores(pair).items():
            if score >= getattr(gate, name):
                labels.setdefault(name, []).append((score, pair.id in dropped))
    return labels


def _too_few(labels: Labels) -> str:
    """Return what is missing for a refit, in words, or nothing."""
    drops = sum(out for _, out in labels)
    if len(labels) >= LEAST_DECISIONS and min(drops, len(labels) - drops) >= LEAST_EACH:
        return ""
    said = f"{drops} drops and {len(labels) - drops} keeps have a say in it"
    return f"{said}; it takes {LEAST_DECISIONS} decisions, {LEAST_EACH} of either"


def _beyond_chance(p_values: Mapping[str, float], tests: int) -> set[str]:
    """Return the names whose p value stands Holm's correction for so many tests."""
    sure: set[str] = set()
    for rank, name in enumerate(sorted(p_values, key=lambda name: (p_values[name], name))):
        if p_values[name] > ALPHA / (tests - rank):
            break
        sure.add(name)
    return sure


def _change(name: str, gate: GateConfig, labels: Labels, line: Line | None, sure: bool) -> Change:
    was, drops = float(getattr(gate, name)), sum(out for _, out in labels)
    if line is None:
        reason = _too_few(labels) or "no line would refuse more of the dropped than of the kept"
        return Change(what=f"gate {name}", was=was, to=was, n=len(labels), reason=reason)
    at, low, high = line.at, round(line.low, 4), round(line.high, 4)
    if name == "judge":
        at, low, high = float(ceil(at)), float(ceil(low)), float(ceil(high))
    said = f"{at:g} refuses {line.found} of {drops} dropped and {line.lost} of {len(labels) - drops} kept"
    said += f" (p = {line.p:.2g}, 95 % interval {low:g} to {high:g})"
    said += "" if sure else "; that can be chance"
    to = at if sure else was
    return Change(what=f"gate {name}", was=was, to=to, n=len(labels), reason=said, low=low, high=high)
