"""The checks of a gate in words, for a terminal and for CI servers."""

from __future__ import annotations

from collections.abc import Sequence

from evaluation.gate import CHANCE, Check
from evaluation.table import number

OUTCOMES = {"held": "held", "worse": "WORSE", "undefined": "undefined"}
HEAD = ["metric", "n", "before", "now", "change", "allowed", "sees", ""]


def cells(check: Check) -> list[str]:
    """Return the cells of a check below `HEAD`."""
    return [
        check.label,
        str(check.n),
        _amount(check.before, check.unit),
        _amount(check.now, check.unit),
        _change(check),
        _amount(check.margin, check.unit),
        _amount(check.detectable, check.unit),
        OUTCOMES[check.outcome],
    ]


def in_words(check: Check) -> str:
    """Return one line that says what became of a check."""
    if check.outcome == "undefined":
        return f"{check.label} of {check.system} on {check.set}: {check.note}."
    seen = "hardly any loss" if check.detectable is None else f"a loss of {_loss(check, check.detectable)}"
    words = (
        f"{check.label} of {check.system} on {check.set}: {_amount(check.before, check.unit)} before, "
        f"{_amount(check.now, check.unit)} now, change {_change(check)}; allowed is {_loss(check, check.margin)}. "
        f"With {check.n} questions {seen} would be seen four times in five."
    )
    return words + (f" Note: {check.note}." if check.note else "")


def summary(checks: Sequence[Check]) -> list[str]:
    """Return what a gate came to, and what it could have seen."""
    worse = [check for check in checks if check.outcome == "worse"]
    blind = sum(check.detectable is None for check in checks)
    seen = [check for check in checks if check.detectable is not None and not check.unit]
    lines = []
    if seen:
        by_size = sorted(seen, key=lambda check: check.detectable or 0.0)
        least, most = by_size[0], by_size[-1]
        lines.append(
            f"Losses that would be seen four times in five: from {_loss(least, least.detectable)} points "
            f"({least.label}, {least.system}, {least.set}) to {_loss(most, most.detectable)} "
            f"({most.label}, {most.system}, {most.set})."
        )
    if blind:
        lines.append(
            f"{blind} of {len(checks)} checks could hardly see any loss: too few questions, or too few answers differ."
        )
    if chance := [check for check in checks if check.note == CHANCE]:
        lines.append(f"Beyond what is allowed, and held since {CHANCE}: {_named(chance)}.")
    if worse:
        lines.append(f"Not passed: {len(worse)} of {len(checks)} checks are worse than allowed: {_named(worse)}.")
    else:
        lines.append(f"Passed: none of {len(checks)} checks is worse than allowed, beyond what chance explains.")
    return lines


def _named(checks: Sequence[Check]) -> str:
    places: dict[str, list[str]] = {}
    for check in checks:
        places.setdefault(f"{check.system} on {check.set}", []).append(check.label)
    return "; ".join(f"{', '.join(labels)} of {place}" for place, labels in places.items())


def _change(check: Check) -> str:
    if check.change is None or check.low is None or check.high is None:
        return "n/a"
    change, low, high = (signed(value, check.unit) for value in (check.change, check.low, check.high))
    return f"{change} [{low}, {high}]"


def signed(value: float, unit: str = "") -> str:
    """Return a difference with its sign, as tables print it; zero has none."""
    text = number(value, unit)
    return f"+{text}" if value > 0 and float(text.replace(",", "")) else text


def _amount(value: float | None, unit: str) -> str:
    return "n/a" if value is None else number(value, unit)


def _loss(check: Check, value: float | None) -> str:
    return "n/a" if value is None else f"{number(value, check.unit)} {check.unit}".rstrip()
