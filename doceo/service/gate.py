"""The gate: nobody comes to a route whose key was not looked at, and who asks too often is turned away."""

from __future__ import annotations

import ipaddress
import logging
from collections.abc import Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from doceo.core.errors import StorageError
from doceo.service.access import Callers
from doceo.service.bodies import unread
from doceo.service.limits import Limits
from doceo.service.metrics import Metrics
from doceo.service.refusals import Refusal
from doceo.service.trail import address

_log = logging.getLogger("doceo.service")

OPEN = frozenset({"/healthz", "/readyz"})
"""What can be asked without a key: whether the service runs."""
_REASONS = {401: "key", 403: "browser", 429: "rate"}
_FORWARDED = ("forwarded", "x-forwarded-for", "x-real-ip")


class Gate:
    """ASGI middleware that finds the caller and keeps it, with its key, in the request's state.

    Args:
        app: What lies behind.
        callers: Who may ask.
        limits: How often.
        metrics: Where refusals are counted.
        hosts: Names, beside those of this machine, under which a service without keys is reached.
        open_metrics: Whether `/metrics` is open too.
    """

    def __init__(
        self,
        app: ASGIApp,
        callers: Callers,
        limits: Limits,
        metrics: Metrics,
        hosts: tuple[str, ...] = (),
        *,
        open_metrics: bool = False,
    ) -> None:
        self._app, self._callers, self._limits, self._metrics = app, callers, limits, metrics
        self._hosts = frozenset(name.lower() for name in hosts)
        self._open = OPEN | {"/metrics"} if open_metrics else OPEN

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with a refusal."""
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http" or scope["path"] in self._open:
            await self._app(scope, receive, send)
            return
        state: dict[str, object] = scope.setdefault("state", {})
        try:
            headers = await self._admit(Headers(scope=scope), address(scope), state)
        except StorageError as error:
            # what it says names the database, which is nobody's business who has shown no key
            _log.error("Keys cannot be looked at: %s %s", error.message, error.hint)
            headers = {"Retry-After": "1"}
            message = "Keys cannot be looked at just now. Try again."
            refusal = Refusal(503, message, code=error.code, kind="server_error", headers=headers)
            await refusal.response()(scope, receive, unread(scope, send))
            return
        except Refusal as refusal:
            self._metrics.refused(_REASONS.get(refusal.status_code, "other"))
            await refusal.response()(scope, receive, unread(scope, send))
            return
        state["headers"] = headers

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start" and headers:
                MutableHeaders(scope=message).update(headers)
            await send(message)

        await self._app(scope, receive, with_headers)

    async def _admit(self, headers: Headers, source: str, state: dict[str, object]) -> dict[str, str]:
        """Fill the request's state and return the headers of its response. Raises Refusal."""
        caller, key = await self._callers.of(headers.get("authorization", ""), source)
        if key is None:
            check_local(headers, self._hosts)
        state["caller"], state["key"] = caller, key
        return await self._limits.request(key) if key is not None else {}


def check_local(headers: Mapping[str, str], hosts: frozenset[str]) -> None:
    """Raise Refusal (403) for what may come from elsewhere although only this machine can connect.

    Without keys, that a request comes from this machine is all that speaks for it. A page in a browser could make one
    too, under a name that its owner points at 127.0.0.1 (DNS rebinding), or another site's; and so could a proxy.
    """
    host = headers.get("host", "")
    if not _is_local(_name(f"//{host}"), hosts):
        message = (
            f"The service has no keys and is not reached under the name {host!r}; name it with --hosts, or make keys."
        )
        raise Refusal(403, message, code="foreign_host")
    if any(name in headers for name in _FORWARDED):
        message = "The service has no keys and takes no requests through a proxy. Make keys: doceo keys create"
        raise Refusal(403, message, code="forwarded")
    origin = headers.get("origin", "")
    foreign = bool(origin) and urlsplit(origin).netloc.lower() != host.lower()
    if foreign or headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        message = "The service has no keys and takes no requests from pages of other sites."
        raise Refusal(403, message, code="foreign_origin")


def _is_local(name: str, hosts: frozenset[str]) -> bool:
    if name == "localhost" or name in hosts:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _name(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").lower()
    except ValueError:
        return ""
