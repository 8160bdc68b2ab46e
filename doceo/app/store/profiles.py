"""Profiles: what users have said of themselves, in entries that they can read, change and delete."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Row, delete, insert, select, update

from doceo.app.store.conversations import storable
from doceo.app.store.engine import Database
from doceo.app.store.tables import profile_entries, profile_settings
from doceo.core.errors import InputError, NotFound
from doceo.core.records import ProfileEntry
from rag.profile import DAY, is_known, is_private, one_line, replaced
from rag.profile_rules import EntryKind, Proposed

_MOST = 100
"""Entries of one profile."""


class Profiles:
    """The profiles of every owner; each method sees that of one owner only. Safe for several threads."""

    def __init__(self, database: Database, clock: Callable[[], float], ids: Callable[[], str]) -> None:
        self._database, self._clock, self._ids = database, clock, ids

    def enabled(self, owner: str) -> bool:
        """Say whether an owner has switched the profile on; nobody has who never did. Raises StorageError."""
        query = select(profile_settings.c.enabled).where(profile_settings.c.owner == owner)
        with self._database.reading() as connection:
            return bool(connection.scalar(query))

    def enable(self, owner: str, *, enabled: bool) -> None:
        """Switch an owner's profile on or off; its entries stay. Raises StorageError."""
        with self._database.writing() as connection:
            connection.execute(delete(profile_settings).where(profile_settings.c.owner == owner))
            connection.execute(insert(profile_settings).values(owner=owner, enabled=enabled))

    def entries(self, owner: str) -> list[ProfileEntry]:
        """Return an owner's entries, the oldest first; those that have expired are deleted. Raises StorageError."""
        query = select(profile_entries).where(profile_entries.c.owner == owner)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(profile_entries.c.created, profile_entries.c.id)).all()
        entries, now = [_entry(row) for row in rows], self._clock()
        kept = [entry for entry in entries if entry.expires is None or entry.expires > now]
        self._delete(owner, [entry.id for entry in entries if entry not in kept])
        return kept

    def add(
        self, owner: str, kind: EntryKind, text: str, *, days: float | None = None, source: str = ""
    ) -> ProfileEntry:
        """Add an entry and return it; the same text is not added twice, and of a name or a style the newest stays.

        Args:
            owner: Whose profile.
            kind: What the entry is.
            text: One sentence; a longer one is cut.
            days: How long it holds; left out, until it is deleted.
            source: Id of the turn in which it was said, with which it will be deleted; empty: entered by hand.

        Raises:
            InputError: the text is empty, or the profile is full.
            StorageError: the database cannot be written.
        """
        new = Proposed(kind=kind, text=_checked(text), days=days)
        entries = self.entries(owner)
        if is_known(new, entries):
            return next(entry for entry in entries if is_known(new, [entry]))
        old = replaced(new, entries)
        if len(entries) - len(old) >= _MOST:
            raise InputError(f"The profile holds {_MOST} entries already.", hint="Delete some: /profile delete N.")
        now = self._clock()
        expires = None if days is None else now + days * DAY
        entry = ProfileEntry(id=self._ids(), kind=kind, text=new.text, source=source, created=now, expires=expires)
        row = {**entry.model_dump(), "owner": owner, "source": source or None}
        self._delete(owner, [other.id for other in old])
        with self._database.writing() as connection:
            connection.execute(insert(profile_entries).values(row))
        return entry

    def edit(self, owner: str, entry: str, text: str) -> ProfileEntry:
        """Change the text of an entry, which is entered by hand from then on. Raises InputError, StorageError."""
        mine = (profile_entries.c.owner == owner, profile_entries.c.id == entry)
        with self._database.writing() as connection:
            changed = update(profile_entries).where(*mine).values(text=_checked(text), source=None)
            if not connection.execute(changed).rowcount:
                raise _missing(entry)
            row = connection.execute(select(profile_entries).where(*mine)).one()
        self._database.scrub()
        return _entry(row)

    def delete(self, owner: str, entry: str) -> None:
        """Delete an entry. Raises InputError where there is no such one, StorageError."""
        if not self._delete(owner, [entry]):
            raise _missing(entry)

    def delete_all(self, owner: str) -> int:
        """Delete all entries of an owner and switch the profile off; return how many. Raises StorageError."""
        with self._database.writing() as connection:
            connection.execute(delete(profile_settings).where(profile_settings.c.owner == owner))
            gone = connection.execute(delete(profile_entries).where(profile_entries.c.owner == owner)).rowcount
        self._database.scrub()
        return gone

    def export(self, owner: str) -> dict[str, object]:
        """Return all that is kept of an owner's profile, as JSON values. Raises StorageError."""
        entries = [entry.model_dump(mode="json") for entry in self.entries(owner)]
        return {"enabled": self.enabled(owner), "entries": entries}

    def _delete(self, owner: str, ids: list[str]) -> int:
        if not ids:
            return 0
        with self._database.writing() as connection:
            mine = (profile_entries.c.owner == owner, profile_entries.c.id.in_(ids))
            gone = connection.execute(delete(profile_entries).where(*mine)).rowcount
        if gone:
            self._database.scrub()
        return gone


def _checked(text: str) -> str:
    line = one_line(storable(text))
    if not line:
        raise InputError("The entry is empty.", hint="Say something: /profile add I prefer brief answers.")
    if is_private(line):
        raise InputError(
            "Profiles keep no passwords, numbers of cards or accounts, and no addresses.",
            hint="Leave that out: every model that answers is shown the profile.",
        )
    return line


def _missing(entry: str) -> NotFound:
    return NotFound(f"The profile has no entry {entry}.", hint="/profile lists those there are.")


def _entry(row: Row[*tuple[object, ...]]) -> ProfileEntry:
    held = {key: value for key, value in row._mapping.items() if key != "owner"}
    return ProfileEntry.model_validate({**held, "source": held["source"] or ""})
