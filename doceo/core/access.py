"""Who asks the service, and what that key may do."""

from __future__ import annotations

from typing import Literal

from doceo.core.records import Record

Scope = Literal["chat", "ingest", "train", "admin"]
"""chat: models, answers, embeddings, conversations, the profile. ingest: files and vector stores too. train: files and
jobs too. admin: everything, with the vector stores and collections of all owners and the metrics."""

EVERY_COLLECTION = "*"


class Key(Record):
    """An API key without its secret. Times are seconds since 1970, UTC.

    Attributes:
        owner: Whose objects it sees. Several keys can have one owner.
        collections: Collections beside its owner's vector stores that it may search; `*`: all but the vector stores of
            other owners, which have to be named. `default` is also what a service answers from that serves a run.
        tokens_per_day: Most tokens of prompts and answers in a day, UTC; None: any number.
        requests_per_minute: Most requests in a minute; None: the service's own limit.
        expires: When it ends by itself.
        revoked: When it was revoked.
    """

    id: str
    owner: str
    name: str
    scopes: tuple[Scope, ...]
    collections: tuple[str, ...] = (EVERY_COLLECTION,)
    tokens_per_day: int | None = None
    requests_per_minute: int | None = None
    created: float
    expires: float | None = None
    revoked: float | None = None


class Caller(Record):
    """Who a request is from, as the service treats it.

    `key` is empty where no keys exist and the service listens on loopback: then its owner is the command line's own.
    """

    key: str
    owner: str
    scopes: tuple[Scope, ...]
    collections: tuple[str, ...] = (EVERY_COLLECTION,)

    def may(self, scope: Scope) -> bool:
        """Return whether a scope is among its own; `admin` holds all of them."""
        return scope in self.scopes or "admin" in self.scopes
