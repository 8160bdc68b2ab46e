"""Pages of lists: ids that sort by time, and cursors that stay good when what they name is gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select

from doceo.core.records import Record

T = TypeVar("T")


class Cursor(Record):
    """Which page of a list is wanted.

    Attributes:
        after: Id that the page begins behind; empty: the beginning.
        before: Id that the page ends in front of.
        limit: Most rows.
        order: `desc`: the newest first.
    """

    after: str = ""
    before: str = ""
    limit: int = 20
    order: Literal["asc", "desc"] = "desc"


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A page, and whether there is more in its direction."""

    data: list[T]
    more: bool


def new_id(prefix: str, clock: Callable[[], float], ids: Callable[[], str]) -> str:
    """Return an id that nobody can guess and that sorts by the millisecond in which it was made."""
    return f"{prefix}{int(clock() * 1000):012x}{ids()}"


def page(
    connection: Connection,
    query: Select[Any],
    key: ColumnElement[Any],
    cursor: Cursor,
    at: Callable[[str], Any] = str,
) -> Page[Row[*tuple[Any, ...]]]:
    """Return a page of a query by a key, such as ids of `new_id`; the ids of the cursor need not be there any more.

    `at` gives the key that belongs to an id, where that is not the id itself.
    """
    rising = cursor.order == "asc"
    if cursor.after:
        query = query.where(key > at(cursor.after) if rising else key < at(cursor.after))
    backwards = bool(cursor.before and not cursor.after)
    if cursor.before:
        query = query.where(key < at(cursor.before) if rising else key > at(cursor.before))
    ordered = query.order_by(key.asc() if rising != backwards else key.desc()).limit(cursor.limit + 1)
    rows = list(connection.execute(ordered))
    more, rows = len(rows) > cursor.limit, rows[: cursor.limit]
    return Page(rows[::-1] if backwards else rows, more)
