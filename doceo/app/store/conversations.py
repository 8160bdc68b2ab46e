"""Conversations: turns are only ever added; what is deleted is gone with all that hangs on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, MutableMapping, Sequence

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from doceo.app.store.engine import Database
from doceo.app.store.said import Said, missing
from doceo.app.store.tables import conversations, summaries, turns
from doceo.core.errors import InputError, NotFound
from doceo.core.records import Answer, Message, Record, Turn
from doceo.text.surrogates import without_surrogates

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

    def start(self, owner: str, about: str = "", metadata: Mapping[str, str] | None = None) -> Conversation:
        """Begin a conversation. Raises StorageError."""
        now, held = self._clock(), dict(metadata or {})
        row = {"id": self._ids(), "title": "", "about": storable(about), "created": now, "updated": now}
        with self._database.writing() as connection:
            connection.execute(insert(conversations).values(row | {"owner": owner, "metadata": json.dumps(held)}))
        return Conversation.model_validate({**row, "turns": 0, "metadata": held})

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

    def find(self, owner: str, beginning: str) -> Conversation:
        """Return the conversation whose id begins so. Raises InputError where none does, or several; StorageError."""
        with self._database.reading() as connection:
            query = _selected(owner).where(conversations.c.id.startswith(beginning, autoescape=True))
            found = [_conversation(row) for row in connection.execute(query.limit(2))]
        if len(found) == 1 and beginning:
            return found[0]
        raise (
            missing(beginning)
            if not found or not beginning
            else InputError(f"Several conversations begin with {beginning}.", hint="Give more letters of the id.")
        )

    def turns(self, owner: str, conversation: str) -> list[Turn]:
        """Return the turns of a conversation in order; none where the owner has no such one. Raises StorageError."""
        query = select(turns).where(turns.c.owner == owner, turns.c.conversation == conversation)
        with self._database.reading() as connection:
            return [_turn(row) for row in connection.execute(query.order_by(turns.c.place))]

    def add(self, owner: str, conversation: str, said: Sequence[Said]) -> list[Turn]:
        """Add messages to a conversation, all or none. Raises InputError where there is no such one, StorageError."""
        now = self._clock()
        with self._database.writing() as connection:
            title = self._locked(connection, owner, conversation)
            last = connection.scalar(select(func.max(turns.c.place)).where(turns.c.conversation == conversation))
            rows = [
                self._row(one, owner, conversation, place, now)
                for place, one in enumerate(said, 0 if last is None else last + 1)
            ]
            if rows:
                connection.execute(insert(turns), rows)
            asked = next((one.message.content for one in said if one.message.role == "user"), "")
            changes = {"updated": now, "title": title or storable(_title(asked))}
            connection.execute(update(conversations).where(conversations.c.id == conversation).values(changes))
        return [
            Turn(id=str(row["id"]), message=one.message, refused=one.refused, answer=one.answer, created=now)
            for row, one in zip(rows, said, strict=True)
        ]

    def remove(self, owner: str, conversation: str, turn: str) -> None:
        """Delete one turn with what was taken from it: profile entries, the title, summaries of the conversation.

        Raises NotFound, StorageError.
        """
        with self._database.writing() as connection:
            self._locked(connection, owner, conversation)
            mine = turns.c.owner == owner, turns.c.conversation == conversation
            if not connection.execute(delete(turns).where(*mine, turns.c.id == turn)).rowcount:
                raise NotFound(f"There is no item {turn[:80]!r} in this conversation.", hint="Its items are at /items.")
            connection.execute(delete(summaries).where(summaries.c.conversation == conversation))
            asked = select(turns.c.content).where(*mine, turns.c.role == "user").order_by(turns.c.place).limit(1)
            values = {"title": _title(connection.scalar(asked) or ""), "updated": self._clock()}
            connection.execute(update(conversations).where(conversations.c.id == conversation).values(values))
        self._database.scrub()

    def delete(self, owner: str, conversation: str) -> bool:
        """Delete a conversation: turns, summaries, and profile entries that were taken from it.

        Returns whether there was one. Raises StorageError.
        """
        with self._database.writing() as connection:
            gone = connection.execute(
                delete(conversations).where(conversations.c.owner == owner, conversations.c.id == conversation)
            ).rowcount
        if gone:
            self._database.scrub()
        return gone > 0

    def delete_all(self, owner: str) -> int:
        """Delete all conversations of an owner as `delete` does; return how many. Raises StorageError."""
        with self._database.writing() as connection:
            gone = connection.execute(delete(conversations).where(conversations.c.owner == owner)).rowcount
        if gone:
            self._database.scrub()
        return gone

    def summaries(self, owner: str, conversation: str) -> MutableMapping[str, str]:
        """Return the kept summaries of a conversation, by the hash of the turns that they stand for."""
        return _Summaries(self._database, owner, conversation)

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
            "id": self._ids(),
            "conversation": conversation,
            "owner": owner,
            "place": place,
            "role": said.message.role,
            "content": storable(said.message.content),
            "refused": said.refused,
            # escaped, so that any character of a document can be stored in either database
            "answer": json.dumps(said.answer.model_dump(mode="json")) if said.answer else None,
            "created": now,
        }


class _Summaries(MutableMapping[str, str]):
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


def _title(question: str) -> str:
    return " ".join(question.split())[:_TITLE]


def storable(text: str) -> str:
    """Return a text as any database can hold it: without lone surrogates and the character 0."""
    return without_surrogates(text).replace("\0", "\ufffd")


def _selected(owner: str):  # type: ignore[no-untyped-def]  # noqa: ANN202 - SQLAlchemy's type names every column
    count = select(func.count()).where(turns.c.conversation == conversations.c.id).scalar_subquery().label("turns")
    return select(conversations, count).where(conversations.c.owner == owner)


def _conversation(row: Row[*tuple[object, ...]]) -> Conversation:
    held = {key: value for key, value in row._mapping.items() if key != "owner"}
    return Conversation.model_validate({**held, "metadata": json.loads(str(held["metadata"]))})


def _turn(row: Row[*tuple[object, ...]]) -> Turn:
    held = row._mapping
    answer = held["answer"]
    return Turn(
        id=held["id"],
        message=Message(role=held["role"], content=held["content"]),
        refused=held["refused"],
        answer=None if answer is None else Answer.model_validate(json.loads(str(answer))),
        created=held["created"],
    )
