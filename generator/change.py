"""One thing that was learned: what it was, what it is now, and why."""

from __future__ import annotations

from doceo.core.records import Record


class Change(Record):
    """A share or a line that was looked at; `was` equals `to` where it stays, and `reason` says why.

    `what` is `kinds KIND` (a share of the pairs in percent) or `gate NAME` (a field of `GateConfig`); `n` counts the
    proposals or decisions that it rests on; `low` and `high` are the 95 % interval of a line that was refitted.
    """

    what: str
    was: float
    to: float
    n: int
    reason: str
    low: float | None = None
    high: float | None = None

    @property
    def changed(self) -> bool:
        """Whether anything is other than it was."""
        return self.was != self.to

    @property
    def is_line(self) -> bool:
        """Whether it is about a check's line, not about a share."""
        return self.what.startswith("gate ")

    def taken_back(self) -> Change:
        """Return the change that undoes it."""
        return Change(what=self.what, was=self.to, to=self.was, n=self.n, reason="it is as it was wanted again")

    def cells(self) -> list[str]:
        """Return it as the cells of a table: what, was, to, n, why."""
        unit = "" if self.is_line else " %"
        to = f"{self.to:.3g}{unit}" if self.changed else "stays"
        return [self.what, f"{self.was:.3g}{unit}", to, str(self.n), self.reason]

    def __str__(self) -> str:
        what, was, to, n, reason = self.cells()
        return f"{what}: {was} {f'-> {to}' if self.changed else 'stays'} (n = {n}): {reason}"


HEAD = ("what", "was", "is", "n", "why")
"""The head of a table of changes."""
