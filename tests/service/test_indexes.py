"""Indexes that a service holds open, and the documents of a collection page by page."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest

from data.store import Run
from doceo.app import indexes, plain_collections
from doceo.app.host import Host
from doceo.app.indexes import Indexes
from doceo.app.store.pages import Cursor
from doceo.core.errors import IndexUnusable
from doceo.service.paging import sliced
from rag.copying import copy_index
from rag.versions import POINTER
from tests.service.serving import host_in

NAMES = ("a", "b", "c")


@pytest.fixture
def host(tmp_path: Path, indexed: Path) -> Host:
    host = host_in(tmp_path)
    for name in NAMES:
        copy_index(Run(indexed).index, tmp_path / ".collections" / name)
    return host


def test_searches_and_answers_read_one_index(host: Host) -> None:
    assert host.assistants.get("quote", "a") is not None
    ((_, systems),) = host.assistants._systems.values()
    assert systems.retriever().index is host.searches.index("a")


def test_what_was_asked_for_longest_ago_is_closed_first(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(indexes, "_MOST", 2)
    opened = Indexes(host.settings.embedder)
    a, b, c = (host.home / ".collections" / name for name in NAMES)
    first = opened.get(a)
    opened.get(b)
    assert opened.get(a) is first
    opened.get(c)
    assert [*opened._open] == [a, c]
    assert opened.get(host.home / ".collections" / "none") is None


def test_one_damaged_index_keeps_no_other_open(host: Host) -> None:
    opened = Indexes(host.settings.embedder)
    a, b, c = (host.home / ".collections" / name for name in NAMES)
    for folder in (a, b, c):
        opened.get(folder)
    (a / POINTER).write_text("999999")  # its version is not there
    (b / POINTER).unlink()  # it was deleted
    opened.let_go()
    assert [*opened._open] == [c]
    with pytest.raises(IndexUnusable):
        opened.get(a)


def test_a_page_of_documents_is_that_of_the_whole_list(host: Host) -> None:
    index = host.searches.index("a")
    assert index is not None
    rows = plain_collections.documents(index, "a")
    ids = ["", *(row.file for row in rows)]
    assert len(rows) == 6
    for after, before, limit in product(ids, ids, (1, 2, 6)):
        for order in ("asc", "desc"):
            cursor = Cursor(after=after, before=before, limit=limit, order=order)  # type: ignore[arg-type]
            if not (after and before):
                assert plain_collections.page(index, "a", cursor) == sliced(rows, lambda row: row.file, cursor)
    assert plain_collections.page(index, "a", Cursor(after="d_", limit=2, order="asc")).data == rows[:2]
