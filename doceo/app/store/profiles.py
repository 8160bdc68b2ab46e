"""Profiles: what users have said of themselves, in entries that they can read, change and delete."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, Row, delete, insert, select, update

from doceo.app.store.engine import Database, inserted, storable
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
            _lock(connection, owner)
            mine = profile_settings.c.owner == owner
            connection.execute(update(profile_settings).where(mine).values(enabled=enabled))

    def entries(self, owner: str) -> list[ProfileEntry]:
        """Return an owner's entries, the oldest first; those that have expired are deleted. Raises StorageError."""
        with self._database.reading() as connection:
            kept, expired = self._parted(connection, owner)
        if expired:
            with self._database.writing() as connection:
                self._delete(connection, owner, expired)
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
        now = self._clock()
        with self._database.writing() as connection:
            _lock(connection, owner)
            entries, expired = self._parted(connection, owner)
            if is_known(new, entries):
                return next(entry for entry in entries if is_known(new, [entry]))
            old = replaced(new, entries)
            if len(entries) - len(old) >= _MOST:
                raise InputError(f"The profile holds {_MOST} entries already.", hint="Delete some of them.")
            expires = None if days is None else now + days * DAY
            entry = ProfileEntry(id=self._ids(), kind=kind, text=new.text, source=source, created=now, expires=expires)
            self._delete(connection, owner, [*expired, *(other.id for other in old)])
            row = {**entry.model_dump(), "owner": owner, "source": source or None}
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
            self._database.mark_deleted(connection)
        return _entry(row)

    def delete(self, owner: str, entry: str) -> None:
        """Delete an entry. Raises InputError where there is no such one, StorageError."""
        with self._database.writing() as connection:
            if not self._delete(connection, owner, [entry]):
                raise _missing(entry)

    def delete_all(self, owner: str) -> int:
        """Delete all entries of an owner and switch the profile off; return how many. Raises StorageError."""
        with self._database.writing() as connection:
            connection.execute(delete(profile_settings).where(profile_settings.c.owner == owner))
            gone = connection.execute(delete(profile_entries).where(profile_entries.c.owner == owner)).rowcount
            if gone:
                self._database.mark_deleted(connection)
        return gone

    def export(self, owner: str) -> dict[str, object]:
        """Return all that is kept of an owner's profile, as JSON values. Raises StorageError."""
        entries = [entry.model_dump(mode="json") for entry in self.entries(owner)]
        return {"enabled": self.enabled(owner), "entries": entries}

    def _parted(self, connection: Connection, owner: str) -> tuple[list[ProfileEntry], list[str]]:
        """Return an owner's entries, the oldest first, without those that have expired, and the ids of these."""
        query = select(profile_entries).where(profile_entries.c.owner == owner)
        rows = connection.execute(query.order_by(profile_entries.c.created, profile_entries.c.id))
        entries, now = [_entry(row) for row in rows], self._clock()
        kept = [entry for entry in entries if entry.expires is None or entry.expires > now]
        return kept, [entry.id for entry in entries if entry not in kept]

    def _delete(self, connection: Connection, owner: str, ids: list[str]) -> int:
        mine = (profile_entries.c.owner == owner, profile_entries.c.id.in_(ids))
        gone = connection.execute(delete(profile_entries).where(*mine)).rowcount
        if gone:
            self._database.mark_deleted(connection)
        return gone


def _lock(connection: Connection, owner: str) -> None:
    """Hold the row of an owner's settings, made where there is none: two who change a profile do so in turn."""
    inserted(connection, profile_settings, {"owner": owner, "enabled": False})
    connection.execute(select(profile_settings.c.owner).where(profile_settings.c.owner == owner).with_for_update())


def _checked(text: str) -> str:
    line = one_line(storable(text))
    if not line:
        raise InputError("The entry is empty.", hint="Say something, such as: I prefer brief answers.")
    if is_private(line):
        raise InputError(
            "Profiles keep no passwords, numbers of cards or accounts, and no addresses.",
            hint="Leave that out: every model that answers is shown the profile.",
        )
    return line


def _missing(entry: str) -> NotFound:
    return NotFound(f"The profile has no entry {entry}.", hint="The profile shows those there are.")


def _entry(row: Row[*tuple[object, ...]]) -> ProfileEntry:
    held = {key: value for key, value in row._mapping.items() if key != "owner"}
    return ProfileEntry.model_validate({**held, "source": held["source"] or ""})
