"""How many proposed pairs had words of a document behind them before anything was rejected."""

from __future__ import annotations

from collections.abc import Sequence

from doceo.core.records import Pair, Rejected

FOUND_BUT_WEAK = frozenset({"answer_not_supported", "history_not_supported", "not_multi_hop"})
"""Reasons of pairs whose quotes were found, and do not prove what they should."""


def located(pairs: Sequence[Pair], rejected: Sequence[Rejected]) -> tuple[int, int]:
    """Return (answerable proposals whose quote was found in its document, answerable proposals)."""
    lines = [line for line in rejected if line.pair.answerable]
    accepted = [pair for pair in pairs if pair.answerable]
    found = sum(bool(pair.evidence) for pair in accepted)
    found += sum(bool(line.pair.evidence) or line.verdict.reason in FOUND_BUT_WEAK for line in lines)
    return found, len(accepted) + len(lines)
