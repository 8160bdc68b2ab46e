"""API keys: their secrets are shown once and kept nowhere."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from hmac import compare_digest

from sqlalchemy import Row, insert, or_, select, update

from doceo.app.store.engine import Database, storable
from doceo.app.store.service_tables import keys
from doceo.core.access import EVERY_COLLECTION, Key, Scope
from doceo.core.errors import InputError


def new_secret() -> str:
    """Return a secret that nobody can guess: 256 random bits."""
    return f"dk-{secrets.token_urlsafe(32)}"


class Keys:
    """All keys. Safe for several threads and processes."""

    def __init__(
        self,
        database: Database,
        clock: Callable[[], float],
        ids: Callable[[], str],
        secret: Callable[[], str] = new_secret,
    ) -> None:
        self._database, self._clock, self._ids, self._secret = database, clock, ids, secret

    def create(
        self,
        owner: str,
        name: str,
        scopes: Sequence[Scope],
        *,
        collections: Sequence[str] = (EVERY_COLLECTION,),
        tokens_per_day: int | None = None,
        requests_per_minute: int | None = None,
        expires: float | None = None,
    ) -> tuple[Key, str]:
        """Make a key and return it with its secret, which cannot be had again. Raises StorageError."""
        secret = self._secret()
        key = Key(
            id=f"key_{self._ids()}",
            owner=owner,
            name=storable(name),
            scopes=tuple(scopes),
            collections=tuple(collections),
            tokens_per_day=tokens_per_day,
            requests_per_minute=requests_per_minute,
            created=self._clock(),
            expires=expires,
        )
        lists = {"scopes": "\n".join(key.scopes), "collections": "\n".join(map(storable, key.collections))}
        with self._database.writing() as connection:
            connection.execute(insert(keys).values({**key.model_dump(), **lists, "hash": _hash(secret)}))
        return key, secret

    def find(self, secret: str) -> Key | None:
        """Return the key of a secret, also one that is revoked or has expired. Raises StorageError."""
        digest = _hash(secret)
        with self._database.reading() as connection:
            row = connection.execute(select(keys).where(keys.c.hash == digest)).one_or_none()
        return _key(row) if row is not None and compare_digest(str(row.hash), digest) else None

    def any(self) -> bool:
        """Say whether there is a key, or ever was one: revoking the last does not open the service again."""
        with self._database.reading() as connection:
            return connection.execute(select(keys.c.id).limit(1)).first() is not None

    def holds(self, key: str) -> bool:
        """Say whether a key, by its id, is neither revoked nor expired; none at all holds while there is none.

        Raises StorageError.
        """
        if not key:
            return not self.any()
        lasting = or_(keys.c.expires.is_(None), keys.c.expires > self._clock())
        query = select(keys.c.id).where(keys.c.id == key, keys.c.revoked.is_(None), lasting)
        with self._database.reading() as connection:
            return connection.execute(query).first() is not None

    def all(self, owner: str = "") -> list[Key]:
        """Return the keys of an owner, or of all, the oldest first. Raises StorageError."""
        query = select(keys).order_by(keys.c.created, keys.c.id)
        with self._database.reading() as connection:
            return [_key(row) for row in connection.execute(query.where(keys.c.owner == owner) if owner else query)]

    def revoke(self, key: str) -> Key:
        """Revoke a key by its id and return it; the time of the first revocation stays.

        Raises InputError where there is no such key, StorageError.
        """
        with self._database.writing() as connection:
            mine = keys.c.id == key
            connection.execute(update(keys).where(mine, keys.c.revoked.is_(None)).values(revoked=self._clock()))
            row = connection.execute(select(keys).where(mine)).one_or_none()
        if row is None:
            raise InputError(f"There is no key {key}.", hint="doceo keys list shows the ids of all keys.")
        return _key(row)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _key(row: Row[*tuple[object, ...]]) -> Key:
    held = {name: value for name, value in row._mapping.items() if name != "hash"}
    lists = {name: tuple(filter(None, str(held[name]).split("\n"))) for name in ("scopes", "collections")}
    return Key.model_validate({**held, **lists})
