"""Counts what becomes of every pair that was asked for."""

from __future__ import annotations

from collections import Counter

from doceo.core.records import Ledger


class Tally:
    """Open counts; `ledger` closes them and refuses counts that do not add up."""

    def __init__(self, requested: int) -> None:
        self.requested = requested
        self.asked = 0
        self.accepted = 0
        self.rejected: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()

    def ask(self, n: int) -> None:
        """Count n pairs as asked for."""
        self.asked += n

    def accept(self, n: int = 1) -> None:
        """Count n pairs as accepted."""
        self.accepted += n

    def reject(self, reason: str, n: int = 1) -> None:
        """Count n pairs as rejected."""
        self.rejected[reason] += n

    def fail(self, reason: str, n: int = 1) -> None:
        """Count n pairs that never came to be."""
        if n:
            self.failed[reason] += n

    def ledger(self) -> Ledger:
        """Return the closed ledger. Raises ValidationError where it does not add up."""
        return Ledger(
            requested=self.requested,
            asked=self.asked,
            accepted=self.accepted,
            rejected=dict(sorted(self.rejected.items())),
            failed=dict(sorted(self.failed.items())),
        )
