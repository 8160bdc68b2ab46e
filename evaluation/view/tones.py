"""The colour that a system has on every chart of the page."""

from __future__ import annotations

from collections.abc import Iterable

from data.answers import ORDER

TONES = 8
"""Colours that the page's style knows, `tone-0` to `tone-7`; systems beyond share them."""


def tones(systems: Iterable[str]) -> dict[str, int]:
    """Return system -> the number of its colour: the usual systems always have their own."""
    names = list(dict.fromkeys(systems))
    usual = {system: n for n, system in enumerate(ORDER)}
    free = [n for n in range(TONES) if n not in {usual[name] for name in names if name in usual}]
    others = [name for name in names if name not in usual]
    return {name: usual[name] for name in names if name in usual} | {
        name: free[n % len(free)] for n, name in enumerate(others)
    }
