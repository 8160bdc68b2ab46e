"""Conversations as traces, for whoever wants to take them along or to compare other systems with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data.traces import Trace
from doceo.app.talk import NOT_NOTED, NOTED, Talk
from doceo.core.errors import InputError

if TYPE_CHECKING:
    from doceo.app.store import Store

ALL = "all"


def traces_of(talk: Talk, beginning: str = "") -> list[Trace]:
    """Return the questions and answers of a conversation, or of the kept one whose id begins so, or of `all`.

    Raises InputError, StorageError.
    """
    from doceo.app.store.said import traces

    if beginning and not talk.has_store:
        return []
    if beginning or talk.kept is not None:
        return kept_traces(talk.store, talk.owner, beginning or (talk.kept.id if talk.kept else ""))
    return _asked(traces(talk.unkept))


def kept_traces(store: Store, owner: str, beginning: str) -> list[Trace]:
    """Return the questions and answers of an owner's conversation whose id begins so, or of `all` that are kept.

    Raises InputError where there is none, or several; StorageError.
    """
    from doceo.app.store.said import traces

    talks = store.conversations
    chosen = talks.all(owner)[::-1] if beginning == ALL else [talks.find(owner, beginning)]
    return [trace for one in chosen for trace in _asked(traces(talks.turns(owner, one.id)))]


def local_traces(database_url: str, beginning: str) -> list[Trace]:
    """Return those that the command line kept. Raises InputError where nothing is kept, StorageError."""
    from doceo.app.store import open_store
    from doceo.app.store.places import exists, shown
    from doceo.app.store.store import LOCAL

    found = kept_traces(open_store(database_url), LOCAL, beginning or ALL) if exists(database_url) else []
    if not found:
        raise InputError(
            f"No conversation is kept in {shown(database_url)}.", hint="doceo chat --keep keeps one, as /keep does."
        )
    return found


def _asked(found: list[Trace]) -> list[Trace]:
    """Return traces without those that only told something for the profile."""
    return [one for one in found if one.answer.text not in (NOTED, NOT_NOTED)]
