"""What a stage that is made anew changes of what stood there, and how near it comes to what was wanted, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence

from doceo.core.records import Pair


def pairs_replaced(before: Collection[str], now: Collection[str]) -> str:
    """Return how many pairs stand no longer; nothing where all do. Both are ids."""
    gone = len(set(before) - set(now))
    return f"{gone} of the {len(before)} pairs that stood here are replaced by others." if gone else ""


def questions_replaced(before: Collection[str], now: Collection[str]) -> str:
    """Return how far the test questions differ from those that stood there; nothing where none do. Both are ids."""
    gone, new = len(set(before) - set(now)), len(set(now) - set(before))
    if not before or not gone + new:
        return ""
    return (
        f"The test questions change: {gone} of {len(before)} are asked no more, {new} are new. Scores of before are of "
        "other questions, and `doceo gate` refuses to compare them. A test set that stays: --questions FILE, or "
        "`doceo loop`, which examines every round alike."
    )


def shares_reached(pairs: Sequence[Pair], wanted: Mapping[str, float]) -> str:
    """Return the share of the pairs that every topic has of which one was wanted; nothing where none was.

    Args:
        pairs: All pairs.
        wanted: Topic -> its share in per cent.
    """
    counts, n = Counter(pair.topic for pair in pairs), len(pairs)
    parts = [
        f"\u201c{topic}\u201d {counts[topic] / max(1, n):.0%} ({counts[topic]} of {n} pairs; {share:g}% were wanted)"
        for topic, share in wanted.items()
    ]
    return f"Topics: {'; '.join(parts)}." if parts else ""
