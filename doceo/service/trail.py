"""Writes the audit log: every request that changes something or is turned away for its key, scope, size or rate."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from doceo.app.host import Host
from doceo.app.store.audit import Entry
from doceo.core.access import Caller
from doceo.core.errors import StorageError
from doceo.service.limits import Limits

_log = logging.getLogger("doceo.service")
_LONGEST = 65536
"""Bytes of a body in which an id is looked for."""
_READING = frozenset({"GET", "HEAD", "OPTIONS"})
_ASKING = ("/v1/chat/completions", "/v1/embeddings")
_REFUSED = frozenset({401, 403, 413, 429})
_BROKEN, _CLOSED = 500, 499
"""Outcomes of what nobody foresaw, and where the client went away, or the service stopped, before there was one."""


class Trail:
    """ASGI middleware that notes who did what before the outcome is told. It sees no more of bodies than new ids.

    Args:
        app: What lies behind.
        host: Where the log is kept.
        limits: How many refusals are worth an entry.
    """

    def __init__(self, app: ASGIApp, host: Host, limits: Limits) -> None:
        self._app, self._host, self._limits = app, host, limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and note what came of it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        noted = False

        async def noting(message: Message) -> None:
            nonlocal start, noted
            refused = message.get("status") in _REFUSED and not scope["state"].get("busy")
            if message["type"] == "http.response.start" and (changes(scope) or refused):
                # held back until the entry is written
                start = message
                return
            if start is not None and not noted:
                await self._note(scope, start["status"], _made(message))
                await send(start)
            noted = True
            await send(message)

        try:
            await self._app(scope, receive, noting)
        except BaseException as error:
            if not noted and changes(scope):
                # not in a thread: the task may have been cancelled
                self._write(scope, _BROKEN if isinstance(error, Exception) else _CLOSED, "")
            raise

    async def _note(self, scope: Scope, outcome: int, made: str) -> None:
        if outcome in _REFUSED:
            caller = scope["state"].get("caller")
            worth = await self._limits.worth_noting(caller.key if caller else "", address(scope))
        else:
            worth = changes(scope)
        if worth:
            await asyncio.to_thread(self._write, scope, outcome, made)

    def _write(self, scope: Scope, outcome: int, made: str) -> None:
        state: dict[str, Any] = scope["state"]
        caller: Caller | None = state.get("caller")
        # what was refused at the gate never came to a route
        action, named = scope["method"], scope["path"]
        if "route" in scope:
            action, named = f"{action} {route(scope)}", " ".join(map(str, scope.get("path_params", {}).values()))
        entry = Entry(
            at=self._host.store.clock(),
            owner=caller.owner if caller else "",
            key=caller.key if caller else "",
            action=action,
            object=named or made,
            outcome=outcome,
            request=state.get("request_id", ""),
            address=address(scope),
        )
        try:
            self._host.store.audit.add([entry])
        except StorageError as error:
            # what was done is done: the answer must not hide it
            _log.error("The audit log cannot be written: %s %s", error.message, entry.model_dump_json())


def changes(scope: Scope) -> bool:
    """Say whether a request is of a kind that changes something."""
    path: str = scope["path"]
    return scope["method"] not in _READING and path not in _ASKING and not path.endswith("/search")


def route(scope: Scope) -> str:
    """Return the path of the route that a request came to, with the names of its parameters; `other` for none."""
    return str(getattr(scope.get("route"), "path", "other"))


def address(scope: Scope) -> str:
    """Return where a request came from."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def _made(message: Message) -> str:
    """Return the id in the body of a response that says what was made."""
    body = message.get("body", b"")
    try:
        found = json.loads(body) if len(body) <= _LONGEST else None
    except ValueError:
        return ""
    return str(found.get("id", "")) if isinstance(found, dict) else ""
