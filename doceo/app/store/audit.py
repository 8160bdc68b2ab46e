"""The audit log: who did what, and who was turned away. It holds no content."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import delete, insert, select

from doceo.app.store.engine import Database, storable
from doceo.app.store.service_tables import audit
from doceo.core.records import Record

_WIDTHS = {"owner": 128, "key": 64, "action": 64, "object": 256, "request": 64, "address": 64}


class Entry(Record):
    """One request that changed something, or was turned away.

    Attributes:
        at: Seconds since 1970, UTC.
        owner: Whose key it was; empty where there was none.
        action: Method and route, such as `DELETE /v1/files/{file_id}`.
        object: Id in the path, or of what was made.
        outcome: HTTP status.
        request: Id of the request.
        address: Where it came from.
    """

    at: float
    owner: str = ""
    key: str = ""
    action: str
    object: str = ""
    outcome: int
    request: str = ""
    address: str = ""


class Audit:
    """The audit log. Safe for several threads and processes."""

    def __init__(self, database: Database, clock: Callable[[], float], ids: Callable[[], str]) -> None:
        self._database, self._clock, self._ids = database, clock, ids

    def add(self, entries: Sequence[Entry]) -> None:
        """Add entries; what is too long is cut. Raises StorageError."""
        if not entries:
            return
        rows = [{**entry.model_dump(), "id": self._ids()} for entry in entries]
        for row in rows:
            row.update({name: storable(row[name])[:width] for name, width in _WIDTHS.items()})
        with self._database.writing() as connection:
            connection.execute(insert(audit), rows)

    def latest(self, count: int, *, owner: str = "", since: float = 0) -> list[Entry]:
        """Return the latest entries, of an owner or of all, the newest first. Raises StorageError."""
        query = select(audit).where(audit.c.at >= since)
        if owner:
            query = query.where(audit.c.owner == owner)
        query = query.order_by(audit.c.at.desc(), audit.c.id).limit(count)
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [Entry.model_validate({k: v for k, v in row._mapping.items() if k != "id"}) for row in rows]

    def prune(self, days: float) -> int:
        """Delete entries that are older than so many days; return how many. Raises StorageError."""
        before = self._clock() - days * 86400
        with self._database.writing() as connection:
            return connection.execute(delete(audit).where(audit.c.at < before)).rowcount
