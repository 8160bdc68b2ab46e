"""The summaries of one conversation, by the hash of the turns that they stand for."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping

from sqlalchemy import delete, insert, select

from doceo.app.store.engine import Database, storable
from doceo.app.store.tables import conversations, summaries


class Summaries(MutableMapping[str, str]):
    """The summaries of one conversation as a mapping. Where the conversation is gone, nothing is kept."""

    def __init__(self, database: Database, owner: str, conversation: str) -> None:
        self._database, self._owner, self._conversation = database, owner, conversation
        self._mine = (summaries.c.owner == owner, summaries.c.conversation == conversation)

    def __getitem__(self, key: str) -> str:
        with self._database.reading() as connection:
            text = connection.scalar(select(summaries.c.text).where(*self._mine, summaries.c.turns_hash == key))
        if text is None:
            raise KeyError(key)
        return str(text)

    def __setitem__(self, key: str, text: str) -> None:
        row = {"conversation": self._conversation, "turns_hash": key, "owner": self._owner, "text": storable(text)}
        with self._database.writing() as connection:
            mine = (conversations.c.owner == self._owner, conversations.c.id == self._conversation)
            if connection.scalar(select(conversations.c.id).where(*mine)) is None:
                return
            connection.execute(delete(summaries).where(*self._mine, summaries.c.turns_hash == key))
            connection.execute(insert(summaries).values(row))

    def __delitem__(self, key: str) -> None:
        with self._database.writing() as connection:
            if not connection.execute(delete(summaries).where(*self._mine, summaries.c.turns_hash == key)).rowcount:
                raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        with self._database.reading() as connection:
            return iter(list(connection.scalars(select(summaries.c.turns_hash).where(*self._mine))))

    def __len__(self) -> int:
        return len(list(iter(self)))
