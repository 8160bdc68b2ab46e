"""A training row as its file has it, before anybody has checked it, and what can be wrong with one."""

from __future__ import annotations

from typing import Final, NamedTuple


class Missing:
    """The value of a field that a row lacks."""

    def __repr__(self) -> str:
        return "missing"


MISSING: Final = Missing()


class Place(NamedTuple):
    """Where a row stands: `line 3` of a file of lines, `row 3` of an array, a table of cells or a Parquet file."""

    number: int
    unit: str = "line"

    def __str__(self) -> str:
        return f"{self.unit} {self.number}"


class Problem(NamedTuple):
    """What is wrong with a row, and how to repair it."""

    line: int
    field: str
    what: str
    fix: str
    unit: str = "line"

    def __str__(self) -> str:
        """Return the problem as one line; half of a surrogate pair, which nobody can print, escaped."""
        line = f"{self.unit} {self.line}, {self.field}: {self.what}; {self.fix}"
        return line.encode("utf-8", "backslashreplace").decode()


Raw = tuple[Place, dict[str, object] | Problem]
"""Where a row stands, and the row or what is wrong there."""


class Turn(NamedTuple):
    """One turn of a conversation, unchecked: its values with the names of the fields they stand in.

    `weight` is None where the row gives none; `more` are fields that training would ignore.
    """

    role_field: str
    role: object
    content_field: str
    content: object
    weight: object = None
    more: tuple[str, ...] = ()


class Draft(NamedTuple):
    """One row to be: either turns, or a plain text.

    `last_only`: only its last turn is to be learned. `ends`: a plain text ends here, rather than goes on in the next
    row. `copy` numbers rows that are meant to be there several times. `rejected` is another answer than the last turn,
    where the row says which of two is preferred.
    """

    place: Place
    form: str
    turns: tuple[Turn, ...] = ()
    text: object = None
    last_only: bool = False
    ends: bool = True
    copy: int = 0
    rejected: Turn | None = None


def problem(place: Place, field: str, what: str, fix: str) -> Problem:
    """Return a problem of the row at a place."""
    return Problem(place.number, field, what, fix, place.unit)
