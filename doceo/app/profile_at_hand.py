"""A profile to measure with: the user's own, else a plain one made up for the purpose."""

from __future__ import annotations

from collections.abc import Sequence

from doceo.app.store.places import exists
from doceo.core.records import ProfileEntry
from rag.profile_rules import LENGTHS

LOCAL = "local"
_MADE_UP = (
    ("fact", "The user's name is Anna."),
    ("fact", "The user works as an engineer."),
    ("preference", "The user prefers metric units."),
    ("style", LENGTHS["brief"]),
)


def profile_at_hand(database_url: str) -> tuple[Sequence[ProfileEntry], str]:
    """Return the local user's profile, or the made-up one where that is empty, and which of them it is.

    Raises StorageError.
    """
    if exists(database_url):
        from doceo.app.store import open_store

        entries = open_store(database_url).profiles.entries(LOCAL)
        if entries:
            return entries, f"your own profile of {len(entries)} entries"
    made_up = [
        ProfileEntry.model_validate({"id": f"made-up-{n}", "kind": kind, "text": text, "created": float(n)})
        for n, (kind, text) in enumerate(_MADE_UP)
    ]
    return made_up, f"a profile of {len(made_up)} entries made up for the measurement, since yours is empty"
