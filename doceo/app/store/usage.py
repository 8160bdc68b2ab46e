"""What keys have used, by day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects import postgresql, sqlite

from doceo.app.store.engine import Database
from doceo.app.store.service_tables import usage

DAY = 86400


@dataclass(frozen=True, slots=True)
class Used:
    """What a key has used on a day, counted from 1970, UTC."""

    key: str
    day: int
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Usage:
    """What all keys have used. Safe for several threads and processes: amounts are added in the database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, amounts: Iterable[Used]) -> None:
        """Add amounts to what was used, all or none. Raises StorageError."""
        with self._database.writing() as connection:
            # in one order, so that two processes never wait for one another
            for used in sorted(amounts, key=lambda one: (one.key, one.day)):
                _add(connection, used)

    def tokens(self, key: str, day: int) -> int:
        """Return the tokens of a key on a day, counted from 1970, UTC. Raises StorageError."""
        total = func.coalesce(func.sum(usage.c.prompt_tokens + usage.c.completion_tokens), 0)
        with self._database.reading() as connection:
            return int(connection.scalar(select(total).where(usage.c.key == key, usage.c.day == day)) or 0)

    def all(self, day: int) -> dict[str, Used]:
        """Return what each key has used on a day. Raises StorageError."""
        with self._database.reading() as connection:
            rows = connection.execute(select(usage).where(usage.c.day == day))
            return {str(row.key): Used(**row._mapping) for row in rows}


def _add(connection: Connection, used: Used) -> None:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    amounts = {
        "requests": used.requests,
        "prompt_tokens": used.prompt_tokens,
        "completion_tokens": used.completion_tokens,
    }
    new = dialect.insert(usage).values(key=used.key, day=used.day, **amounts)
    added = {name: usage.c[name] + amount for name, amount in amounts.items()}
    connection.execute(new.on_conflict_do_update(index_elements=["key", "day"], set_=added))
