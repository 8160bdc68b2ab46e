"""Pages of lists in OpenAI's form."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, TypeVar

from fastapi import Depends, Query

from doceo.app.store.pages import Cursor, Page
from doceo.core.errors import NotFound

T = TypeVar("T")


def cursor(*, most: int, usual: int) -> Callable[..., Cursor]:
    """Return a dependency that reads `after`, `before`, `limit` and `order`; a limit over `most` is cut to it."""

    def read(
        after: Annotated[str, Query(max_length=128)] = "",
        before: Annotated[str, Query(max_length=128)] = "",
        limit: Annotated[int, Query(ge=0)] = usual,
        order: Literal["asc", "desc"] = "desc",
    ) -> Cursor:
        return Cursor(after=after, before=before, limit=min(max(limit, 1), most), order=order)

    return read


Listed = Annotated[Cursor, Depends(cursor(most=100, usual=20))]
"""The page that is asked for: 20 objects where no limit is named, 100 at most."""


def listed(data: Sequence[dict[str, Any]], *, more: bool) -> dict[str, Any]:
    """Return a page as it is sent."""
    ids = [str(one["id"]) for one in data] or [""]
    return {"object": "list", "data": list(data), "first_id": ids[0], "last_id": ids[-1], "has_more": more}


def sliced(rows: Sequence[T], key: Callable[[T], str], wanted: Cursor) -> Page[T]:
    """Return a page of a list that is whole at hand, the oldest first.

    Raises NotFound where the cursor names nothing in it.
    """
    ordered = list(rows) if wanted.order == "asc" else list(rows)[::-1]
    places = {key(row): place for place, row in enumerate(ordered)}
    for name in (wanted.after, wanted.before):
        if name and name not in places:
            raise NotFound(f"There is no object {name[:80]!r} in this list.", hint="Ask for the first page again.")
    begin = places[wanted.after] + 1 if wanted.after else 0
    end = places[wanted.before] if wanted.before else len(ordered)
    if wanted.before and not wanted.after:
        first = max(end - wanted.limit, 0)
        return Page(ordered[first:end], first > 0)
    return Page(ordered[begin:end][: wanted.limit], end - begin > wanted.limit)
