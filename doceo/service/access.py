"""Who a request is from, and what it may do. Nothing is allowed that is not named here."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from doceo.app.host import Host
from doceo.app.runs import DEFAULT_COLLECTION
from doceo.app.store.owners import VECTOR_STORE
from doceo.app.store.store import LOCAL
from doceo.core.access import EVERY_COLLECTION, Caller, Key, Scope
from doceo.service.limits import Limits
from doceo.service.refusals import Refusal

FRESH = 1.0
"""Seconds after which the database is asked again about a key: so long a revoked one goes on."""
_LOOKED_UP = 4
"""Keys that nobody has shown before are looked up at the same time: who tries keys holds up nobody else for long."""
_MOST = 4096
"""Keys that are remembered."""
_UNKNOWN = "Incorrect API key provided. Keys are made with: doceo keys create"
_LOCAL_CALLER = Caller(key="", owner=LOCAL, scopes=("admin",))


class Callers:
    """Finds who asks by the key of a request. Used in one event loop.

    Args:
        host: Where the keys are kept.
        limits: How many wrong keys may be tried.
        keyless: Whether anybody may ask while no key exists: only where nobody but this machine can connect.
        monotonic: Seconds of a clock that is never set.
    """

    def __init__(
        self, host: Host, limits: Limits, *, keyless: bool, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._host, self._limits, self._keyless, self._monotonic = host, limits, keyless, monotonic
        self._known: dict[str, tuple[float, Key]] = {}
        self._keyed = (float("-inf"), False)
        self._asking = asyncio.Lock()
        self._turns = asyncio.Semaphore(_LOOKED_UP)

    async def of(self, authorization: str, address: str) -> tuple[Caller, Key | None]:
        """Return who sends a header from an address, and with which key. Raises Refusal (401, 429), StorageError."""
        if self._keyless and not await self._any():
            return _LOCAL_CALLER, None
        scheme, _, secret = authorization.partition(" ")
        secret = secret.strip()
        if scheme.lower() != "bearer" or not secret:
            message = "You didn't provide an API key. Send it as the header Authorization: Bearer KEY."
            raise _unauthorized(message, None)
        key = await self._key(secret, address)
        if key is None or key.revoked is not None:
            raise _unauthorized(_UNKNOWN, "invalid_api_key")
        if key.expires is not None and key.expires <= self._host.store.clock():
            raise _unauthorized("This API key has expired. Keys are made with: doceo keys create", "invalid_api_key")
        return Caller(key=key.id, owner=key.owner, scopes=key.scopes, collections=key.collections), key

    async def _any(self) -> bool:
        if not self._keyed_known():
            async with self._asking:  # one asks for all that come at the same time
                if not self._keyed_known():
                    self._keyed = (self._monotonic(), await asyncio.to_thread(lambda: self._host.store.keys.any()))
        return self._keyed[1]

    def _keyed_known(self) -> bool:
        # once there are keys it stays so, as `Keys.any` says
        return self._keyed[1] or self._monotonic() - self._keyed[0] < FRESH

    async def _key(self, secret: str, address: str) -> Key | None:
        known, now = self._known.get(secret), self._monotonic()
        if known is not None and now - known[0] < FRESH:
            return known[1]
        if known is None:
            return await self._new(secret, address)
        return await self._looked_up(secret)

    async def _new(self, secret: str, address: str) -> Key | None:
        """Return the key of a secret that was never shown, or not for long."""
        async with self._turns:
            if (known := self._known.get(secret)) is not None:  # somebody else has shown it meanwhile
                return known[1]
            await self._limits.check_wrong_keys(address)
            key = await self._looked_up(secret)
            if key is None:
                await self._limits.wrong_key(address)
        return key

    async def _looked_up(self, secret: str) -> Key | None:
        now = self._monotonic()
        key = await asyncio.to_thread(self._host.store.keys.find, secret)
        self._known.pop(secret, None)
        if key is not None:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known[secret] = (now, key)
        return key


def _unauthorized(message: str, code: str | None) -> Refusal:
    return Refusal(401, message, code=code, headers={"WWW-Authenticate": "Bearer"})


async def host_of(request: Request) -> Host:
    """Return what the service works with. Asynchronous, as what is not is run in a thread."""
    found: Host = request.app.state.host
    return found


Hosted = Annotated[Host, Depends(host_of)]


async def caller_of(request: Request) -> Caller:
    """Return who asks, as `doceo.service.gate` found."""
    found: Caller = request.state.caller
    return found


_Described = Annotated[HTTPAuthorizationCredentials | None, Security(HTTPBearer(auto_error=False))]
"""For the description of the service only: the gate has looked at the key."""


class Needs:
    """A dependency that lets callers with one of the scopes through; no route of ours is without one."""

    def __init__(self, *scopes: Scope) -> None:
        self.scopes: tuple[Scope, ...] = scopes

    async def __call__(self, caller: Annotated[Caller, Depends(caller_of)], _: _Described = None) -> Caller:
        """Return the caller. Raises Refusal (403)."""
        if not any(caller.may(scope) for scope in self.scopes):
            message = f"This key may not do that: it lacks the scope {' or '.join(self.scopes)}."
            raise Refusal(403, message, code="missing_scope")
        return caller


MayChat = Annotated[Caller, Depends(Needs("chat"))]
MayIngest = Annotated[Caller, Depends(Needs("ingest"))]
MayKeepFiles = Annotated[Caller, Depends(Needs("ingest", "train"))]
MayTrain = Annotated[Caller, Depends(Needs("train"))]
MayAdministrate = Annotated[Caller, Depends(Needs("admin"))]


def may_search(caller: Caller, host: Host, collection: str) -> bool:
    """Say whether a caller may search a collection; where it may not, it is told that there is none.

    Vector stores, all names that begin with vs_, are their owner's, and of keys that name them; other collections are
    of keys that name them or hold all. An empty name stands for what the service answers from where a model's id
    names none. It reads the database where it has to, so an async route calls it in a thread. Raises StorageError.
    """
    if "admin" in caller.scopes:
        return True
    if not collection:
        served = host.assistants.collection
        return _listed(caller, served or DEFAULT_COLLECTION)
    if collection.startswith(VECTOR_STORE):
        owner = host.store.owners.of_collection(collection)
        return owner is not None and (owner == caller.owner or collection in caller.collections)
    return _listed(caller, collection)


def _listed(caller: Caller, collection: str) -> bool:
    return EVERY_COLLECTION in caller.collections or collection in caller.collections
