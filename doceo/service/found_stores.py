"""Which vector stores a caller may read and which it may change; of all others it is told that there are none."""

from __future__ import annotations

from collections.abc import Callable

from doceo.app import plain_collections
from doceo.app.host import Host
from doceo.app.store.owners import VECTOR_STORE
from doceo.app.store.pages import Cursor, Page
from doceo.app.store.vector_stores import VectorStore, missing_store
from doceo.core.access import Caller
from doceo.service.access import may_search
from doceo.service.refusals import Refusal


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


def searchable(host: Host, caller: Caller, store: str) -> VectorStore:
    """Return a store that can be searched now. Raises NotFound, and Refusal (400) for one that has expired."""
    found = readable(host, caller, store)
    if host.store.vector_stores.is_expired(found):
        raise Refusal(400, f"The vector store {store} has expired.", code="expired")
    host.store.vector_stores.touch(found)
    return found


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
    shown = _all(rest[:room], lambda name: plain_collections.as_store(name, host.home))
    return Page(own.data + shown, len(rest) > room)


def _place(rest: list[str], wanted: Cursor) -> int:
    """Return where a list of names goes on behind the cursor's, which may be gone."""
    rising = wanted.order == "asc"
    return sum(name >= wanted.after if rising else name <= wanted.after for name in rest)


def _all(names: list[str], find: Callable[[str], VectorStore | None]) -> list[VectorStore]:
    return [store for store in map(find, names) if store is not None]
