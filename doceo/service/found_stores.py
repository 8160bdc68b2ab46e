"""Which vector stores a caller may read and which it may change; of all others it is told that there are none."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from doceo.app import plain_collections
from doceo.app.host import Host
from doceo.app.store.owners import VECTOR_STORE
from doceo.app.store.pages import Cursor, Page
from doceo.app.store.vector_stores import VectorStore, missing_store
from doceo.core.access import Caller
from doceo.core.errors import IndexUnusable
from doceo.service.access import may_search
from doceo.service.refusals import Refusal

_log = logging.getLogger("doceo.service")
_AGAIN = "5"
"""Seconds after which a client should ask again for what an index is made of anew."""


def readable(host: Host, caller: Caller, store: str) -> VectorStore:
    """Return a store that a caller may search: its owner's, or one that its key names. Raises NotFound."""
    found = None
    if may_search(caller, host, store):
        if store.startswith(VECTOR_STORE):
            return host.store.vector_stores.at(store)
        found = plain_collections.as_store(store, host.home) if store in plain_collections.names(host.home) else None
    if found is None:
        raise missing_store(store)
    return found


def live(host: Host, store: VectorStore) -> VectorStore:
    """Return a store that has not expired. Raises Refusal (400)."""
    if host.store.vector_stores.is_expired(store):
        raise Refusal(400, f"The vector store {store.id} has expired.", code="expired")
    return store


def searchable(host: Host, caller: Caller, store: str) -> VectorStore:
    """Return a store that can be searched now. Raises NotFound, and Refusal (400) for one that has expired."""
    found = live(host, readable(host, caller, store))
    host.store.vector_stores.touch(found)
    return found


def is_lost(host: Host, store: VectorStore) -> bool:
    """Say whether there is no index of an owner's store whose files were indexed once. Raises IndexUnusable."""
    return bool(store.owner and store.bytes) and not host.assistants.has_documents(store.collection)


def made_again(host: Host, store: VectorStore) -> Refusal:
    """Have the index of a store made again of its files, and return the refusal (503) of what needs it until then."""
    if store.counts.completed:  # not each time that somebody asks
        _log.warning("The index of %s is lost or damaged: it is made again of its files.", store.id)
    host.store.attachments.again(store.id)
    host.indexing.soon(store.id)
    message = "The index of this vector store was lost or damaged, and is being made again of its files."
    headers = {"Retry-After": _AGAIN}
    return Refusal(503, message, code="index_made_again", kind="server_error", headers=headers)


@contextmanager
def indexed(host: Host, store: VectorStore) -> Iterator[None]:
    """Read a store's index; where it is lost or damaged, as in a copy, it is made again of its files.

    Raises Refusal (503), and IndexUnusable for a collection of the command line.
    """
    try:
        if is_lost(host, store):
            raise made_again(host, store)
        yield
    except IndexUnusable as error:
        if not store.owner:
            raise
        raise made_again(host, store) from error


def changeable(host: Host, caller: Caller, store: str) -> VectorStore:
    """Return a store that a caller may change: its owner's; for `admin`, anybody's.

    Raises NotFound, and Refusal (403) for a collection of the command line.
    """
    found = readable(host, caller, store)
    if not found.owner:
        message = f"{store} is a collection of the command line; change it with: doceo index SRC --collection {store}"
        raise Refusal(403, message, code="read_only")
    if found.owner != caller.owner and "admin" not in caller.scopes:
        raise Refusal(403, f"The vector store {store} is another owner's; this key may search it.", code="read_only")
    return found


def page(host: Host, caller: Caller, wanted: Cursor) -> Page[VectorStore]:
    """Return a page of the caller's stores and, behind them, of the collections that it may search."""
    begun = bool(wanted.after) and not wanted.after.startswith(VECTOR_STORE)
    own: Page[VectorStore] = Page([], False) if begun else host.store.vector_stores.page(caller.owner, wanted)
    if own.more or (wanted.before and not begun):
        return own
    rest = [name for name in plain_collections.names(host.home) if may_search(caller, host, name)]
    if wanted.order == "asc":
        rest.reverse()
    if begun:
        rest = rest[_place(rest, wanted) :]
    room = wanted.limit - len(own.data)
    shown = [plain_collections.as_store(name, host.home) for name in rest[:room]]
    return Page(own.data + [store for store in shown if store is not None], len(rest) > room)


def _place(rest: list[str], wanted: Cursor) -> int:
    """Return where a list of names goes on behind the cursor's, which may be gone."""
    rising = wanted.order == "asc"
    return sum(name >= wanted.after if rising else name <= wanted.after for name in rest)
