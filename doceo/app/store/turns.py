"""Turns of conversations as they are stored."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Select, select

from doceo.app.store.said import missing_item
from doceo.app.store.tables import turns
from doceo.core.records import Answer, Message, Turn


def turns_of(owner: str, conversation: str) -> Select[Any]:
    """Return the query of the turns of a conversation."""
    return select(turns).where(turns.c.owner == owner, turns.c.conversation == conversation)


def place_of(connection: Connection, query: Select[Any], turn: str) -> int:
    """Return the place of a turn, also of one that is gone, unless an older version made its id. Raises NotFound."""
    place, dash, _ = turn.partition("-")
    if dash and place.isdecimal() and len(place) < 10:
        return int(place)
    row = connection.execute(query.where(turns.c.id == turn)).one_or_none()
    if row is None:
        raise missing_item(turn)
    return int(row.place)


def turn_of(held: Mapping[str, Any]) -> Turn:
    """Return a row as a turn."""
    answer, files = held["answer"], held["files"]
    return Turn(
        id=held["id"],
        message=Message(role=held["role"], content=held["content"]),
        refused=held["refused"],
        answer=None if answer is None else Answer.model_validate(json.loads(answer)),
        files={} if files is None else json.loads(files),
        created=held["created"],
    )
