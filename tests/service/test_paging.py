"""Pages: put together they are the list, whatever their size and direction."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doceo.app.store import Store, open_store
from doceo.app.store.pages import Cursor, Page
from doceo.core.errors import NotFound
from doceo.service.paging import listed, sliced

COUNT = 7
Order = Literal["asc", "desc"]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    times = iter(range(1, 1000))
    store = open_store(f"sqlite:///{tmp_path_factory.mktemp('db') / 'a'}", clock=lambda: float(next(times)))
    for n in range(COUNT):
        store.files.add(store.files.new("ana", str(n), "user_data", size=n, sha256=""))
    return store


def walked(limit: int, order: Order, page: object, backwards: bool) -> list[str]:
    """Return all names, page by page; backwards from the last one."""
    names: list[str] = []
    cursor = Cursor(limit=limit, order=order)
    while True:
        found: Page[tuple[str, str]] = page(cursor)  # type: ignore[operator]
        assert len(found.data) <= limit
        names = [name for _, name in found.data] + names if backwards else names + [name for _, name in found.data]
        if not found.more:
            return names
        edge = found.data[0][0] if backwards else found.data[-1][0]
        cursor = cursor.model_copy(update={"before" if backwards else "after": edge})


@settings(deadline=None, max_examples=40)
@given(limit=st.integers(1, COUNT + 2), order=st.sampled_from(["asc", "desc"]), backwards=st.booleans())
def test_pages_of_the_database_are_the_list(store: Store, limit: int, order: Order, backwards: bool) -> None:
    def page(cursor: Cursor) -> Page[tuple[str, str]]:
        wanted = cursor if cursor.before or not backwards else cursor.model_copy(update={"before": end})
        found = store.files.page("ana", wanted)
        return Page([(file.id, file.filename) for file in found.data], found.more)

    end = "file-z" if order == "asc" else "file-"
    whole = [str(n) for n in range(COUNT)]
    assert walked(limit, order, page, backwards) == (whole if order == "asc" else whole[::-1])


@given(rows=st.lists(st.text(max_size=3), unique=True, max_size=9), limit=st.integers(1, 11), order=st.booleans())
def test_pages_of_a_list_are_the_list(rows: list[str], limit: int, order: bool) -> None:
    named = [(f"id-{row}", row) for row in rows]
    way: Order = "asc" if order else "desc"

    def page(cursor: Cursor) -> Page[tuple[str, str]]:
        return sliced(named, lambda row: row[0], cursor)

    assert walked(limit, way, page, backwards=False) == (rows if order else rows[::-1])
    for place, (key, _) in enumerate(named):
        before = sliced(named, lambda row: row[0], Cursor(before=key, order="asc", limit=limit)).data
        assert before == named[max(0, place - limit) : place]


def test_a_cursor_that_names_nothing_and_an_empty_page() -> None:
    with pytest.raises(NotFound):
        sliced(["a"], str, Cursor(after="b"))
    assert listed([], more=False) == {"object": "list", "data": [], "first_id": "", "last_id": "", "has_more": False}


def test_a_page_goes_on_where_one_ended_that_is_gone(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'a'}")
    files = [store.files.new("ana", str(n), "user_data", size=1, sha256="") for n in range(3)]
    for file in files:
        store.files.add(file)
    in_order = sorted(files, key=lambda file: file.id)
    store.files.remove(in_order[1])
    assert store.files.page("ana", Cursor(after=in_order[1].id, order="asc")).data == in_order[2:]
