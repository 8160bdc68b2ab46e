"""Conversations: turns are only ever added; what is deleted is gone with all that hangs on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, MutableMapping, Sequence

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from doceo.app.store.engine import Database, storable
from doceo.app.store.pages import Cursor, Page, new_id, page
from doceo.app.store.said import Said, missing, missing_item
from doceo.app.store.summaries import Summaries
from doceo.app.store.tables import conversations, summaries, turns
from doceo.app.store.turns import place_of, turn_of, turns_of
from doceo.core.errors import InputError
from doceo.core.records import Record, Turn

_TITLE = 80
"""Characters of a title, which is the beginning of the first question."""


class Conversation(Record):
    """A conversation without its turns. `about` is what it was had over, in the words of its maker; times are seconds.

    `turns` counts its messages; `metadata` is its owner's own.
    """

    id: str
    title: str
    about: str
    created: float
    updated: float
    turns: int
    metadata: dict[str, str] = {}


class Conversations:
    """The conversations of every owner; each method sees those of one owner only. Safe for several threads."""

    def __init__(self, database: Database, clock: Callable[[], float], ids: Callable[[], str]) -> None:
        self._database, self._clock, self._ids = database, clock, ids

    def start(
        self,
        owner: str,
        about: str = "",
        metadata: Mapping[str, str] | None = None,
        said: Sequence[Said] = (),
        *,
        ordered: bool = False,
    ) -> Conversation:
        """Begin a conversation with messages: all of it is kept, or nothing. Raises StorageError.

        The ids of those that are `ordered` sort by when they were begun, as `page` shows them; others are short ones
        that people tell apart by their first letters.
        """
        now, held = self._clock(), dict(metadata or {})
        key = new_id("conv_", lambda: now, self._ids) if ordered else self._ids()
        row = {"id": key, "title": "", "about": storable(about), "created": now, "updated": now}
        with self._database.writing() as connection:
            connection.execute(insert(conversations).values(row | {"owner": owner, "metadata": json.dumps(held)}))
            self._add(connection, owner, key, said, now)
            return _conversation(connection.execute(_selected(owner).where(conversations.c.id == key)).one())

    def get(self, owner: str, conversation: str) -> Conversation:
        """Return a conversation. Raises NotFound, StorageError."""
        with self._database.reading() as connection:
            row = connection.execute(_selected(owner).where(conversations.c.id == conversation)).one_or_none()
        if row is None:
            raise missing(conversation)
        return _conversation(row)

    def describe(self, owner: str, conversation: str, metadata: Mapping[str, str]) -> Conversation:
        """Change the metadata of a conversation. Raises NotFound, StorageError."""
        with self._database.writing() as connection:
            self._locked(connection, owner, conversation)
            values = {"metadata": json.dumps(dict(metadata))}
            connection.execute(update(conversations).where(conversations.c.id == conversation).values(values))
        return self.get(owner, conversation)

    def all(self, owner: str) -> list[Conversation]:
        """Return an owner's conversations, the latest first. Raises StorageError."""
        with self._database.reading() as connection:
            rows = connection.execute(_selected(owner).order_by(conversations.c.updated.desc(), conversations.c.id))
            return [_conversation(row) for row in rows]

    def page(self, owner: str, cursor: Cursor) -> Page[Conversation]:
        """Return a page of an owner's conversations, by their ids. Raises StorageError."""
        with self._database.reading() as connection:
            found = page(connection, _selected(owner), conversations.c.id, cursor)
        return Page([_conversation(row) for row in found.data], found.more)

    def find(self, owner: str, beginning: str) -> Conversation:
        """Return the conversation whose id begins so. Raises InputError where none does, or several; StorageError."""
        with self._database.reading() as connection:
            query = _selected(owner).where(conversations.c.id.startswith(beginning, autoescape=True))
            found = [_conversation(row) for row in connection.execute(query.limit(2))]
        if not found or not beginning:
            raise missing(beginning)
        if len(found) > 1:
            raise InputError(f"Several conversations begin with {beginning}.", hint="Give more letters of the id.")
        return found[0]

    def turns(self, owner: str, conversation: str) -> list[Turn]:
        """Return the turns of a conversation in order; none where the owner has no such one. Raises StorageError."""
        with self._database.reading() as connection:
            rows = connection.execute(turns_of(owner, conversation).order_by(turns.c.place))
            return [turn_of(row._asdict()) for row in rows]

    def turn(self, owner: str, conversation: str, turn: str) -> Turn:
        """Return one turn. Raises NotFound, StorageError."""
        with self._database.reading() as connection:
            row = connection.execute(turns_of(owner, conversation).where(turns.c.id == turn)).one_or_none()
        if row is None:
            raise missing_item(turn)
        return turn_of(row._asdict())

    def page_of_turns(self, owner: str, conversation: str, cursor: Cursor) -> Page[Turn]:
        """Return a page of the turns of a conversation. Raises NotFound, StorageError."""
        query = turns_of(owner, conversation)
        with self._database.reading() as connection:
            found = page(connection, query, turns.c.place, cursor, lambda turn: place_of(connection, query, turn))
        return Page([turn_of(row._asdict()) for row in found.data], found.more)

    def add(self, owner: str, conversation: str, said: Sequence[Said]) -> list[Turn]:
        """Add messages to a conversation, all or none, and return them as they are kept.

        Raises InputError where there is no such one, StorageError.
        """
        with self._database.writing() as connection:
            return self._add(connection, owner, conversation, said, self._clock())

    def remove(self, owner: str, conversation: str, turn: str) -> None:
        """Delete one turn with what was taken from it: profile entries, the title, summaries of the conversation.

        Raises NotFound, StorageError.
        """
        with self._database.writing() as connection:
            self._locked(connection, owner, conversation)
            mine = turns.c.owner == owner, turns.c.conversation == conversation
            if not connection.execute(delete(turns).where(*mine, turns.c.id == turn)).rowcount:
                raise missing_item(turn)
            connection.execute(delete(summaries).where(summaries.c.conversation == conversation))
            asked = select(turns.c.content).where(*mine, turns.c.role == "user").order_by(turns.c.place).limit(1)
            values = {"title": _title(connection.scalar(asked) or ""), "updated": self._clock()}
            connection.execute(update(conversations).where(conversations.c.id == conversation).values(values))
            self._database.mark_deleted(connection)

    def delete(self, owner: str, conversation: str) -> bool:
        """Delete a conversation: turns, summaries, and profile entries that were taken from it.

        Returns whether there was one. Raises StorageError.
        """
        with self._database.writing() as connection:
            gone = connection.execute(
                delete(conversations).where(conversations.c.owner == owner, conversations.c.id == conversation)
            ).rowcount
            if gone:
                self._database.mark_deleted(connection)
        return gone > 0

    def delete_all(self, owner: str) -> int:
        """Delete all conversations of an owner as `delete` does; return how many. Raises StorageError."""
        with self._database.writing() as connection:
            gone = connection.execute(delete(conversations).where(conversations.c.owner == owner)).rowcount
            if gone:
                self._database.mark_deleted(connection)
        return gone

    def summaries(self, owner: str, conversation: str) -> MutableMapping[str, str]:
        """Return the kept summaries of a conversation, by the hash of the turns that they stand for."""
        return Summaries(self._database, owner, conversation)

    def _add(
        self, connection: Connection, owner: str, conversation: str, said: Sequence[Said], now: float
    ) -> list[Turn]:
        title = self._locked(connection, owner, conversation)
        last = connection.scalar(select(func.max(turns.c.place)).where(turns.c.conversation == conversation))
        first = 0 if last is None else last + 1
        rows = [self._row(one, owner, conversation, place, now) for place, one in enumerate(said, first)]
        if rows:
            connection.execute(insert(turns), rows)
        asked = next((str(row["content"]) for row in rows if row["role"] == "user"), "")
        changes = {"updated": now, "title": title or _title(asked)}
        connection.execute(update(conversations).where(conversations.c.id == conversation).values(changes))
        return [turn_of(row) for row in rows]

    def _locked(self, connection: Connection, owner: str, conversation: str) -> str:
        """Return a conversation's title, holding its row so that two writers add one after the other."""
        row = connection.execute(
            select(conversations.c.title)
            .where(conversations.c.owner == owner, conversations.c.id == conversation)
            .with_for_update()
        ).one_or_none()
        if row is None:
            raise missing(conversation)
        return str(row.title)

    def _row(self, said: Said, owner: str, conversation: str, place: int, now: float) -> dict[str, object]:
        return {
            # its place too, so that a page can go on behind one that is gone
            "id": f"{place}-{self._ids()}",
            "conversation": conversation,
            "owner": owner,
            "place": place,
            "role": said.message.role,
            "content": storable(said.message.content),
            "refused": said.refused,
            # escaped, so that any character of a document can be stored in either database
            "answer": json.dumps(said.answer.model_dump(mode="json")) if said.answer else None,
            "files": json.dumps(dict(said.files)) if said.files else None,
            "created": now,
        }


def _title(question: str) -> str:
    return " ".join(question.split())[:_TITLE]


def _selected(owner: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - SQLAlchemy's type names every column
    count = select(func.count()).where(turns.c.conversation == conversations.c.id).scalar_subquery().label("turns")
    return select(conversations, count).where(conversations.c.owner == owner)


def _conversation(row: Row[*tuple[object, ...]]) -> Conversation:
    held = {key: value for key, value in row._mapping.items() if key != "owner"}
    return Conversation.model_validate({**held, "metadata": json.loads(str(held["metadata"]))})
