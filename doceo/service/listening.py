"""Opens the port and serves until stopped."""

from __future__ import annotations

import ipaddress
import math
import socket
from collections.abc import Callable

import uvicorn

from doceo.app.host import Host
from doceo.app.jobs.own_workers import own_workers
from doceo.core.errors import DoceoError, UsageError
from doceo.core.protocols import Progress
from doceo.service.connections import protocol
from doceo.service.http import create_app
from doceo.service.logs import set_up_logs
from doceo.service.spans import open_spans


def listen(hosted: Host, host: str, port: int, progress: Progress) -> None:
    """Serve on an address, once everything that answers need is open.

    Raises UsageError where something is wrong, naming all that is; MissingExtra.
    """
    config = hosted.settings.service
    set_up_logs(as_json=config.json_logs)
    keyless = is_loopback(host)
    bound = _checked(hosted, host, port, keyless=keyless)
    with bound, open_spans(config) as spans:
        address = f"http://{f'[{host}]' if ':' in host else host}:{bound.getsockname()[1]}"
        progress.say(f"Serving {', '.join(hosted.assistants.names()[:6])} at {address}/v1 (Ctrl-C stops).")
        if keyless and not hosted.store.keys.any():
            progress.say("Everybody on this machine may ask; with doceo keys create nobody without a key may.")
        app = create_app(hosted, spans, keyless=keyless)
        settings = uvicorn.Config(
            app,
            http=protocol(config.header_seconds),
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=bool(config.proxies),
            forwarded_allow_ips=list(config.proxies),
            timeout_graceful_shutdown=math.ceil(config.drain_seconds),
        )
        if config.workers and hosted.store.database.file is not None:
            progress.say("Jobs run on this machine only: the database is a file. PostgreSQL serves several machines.")
        with own_workers(config.workers, hosted.settings, progress):
            uvicorn.Server(settings).run(sockets=[bound])


def is_loopback(host: str) -> bool:
    """Say whether only this machine can connect to an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _checked(hosted: Host, host: str, port: int, *, keyless: bool) -> socket.socket:
    """Return the open port. Raises UsageError that names everything that is wrong, not only what comes first."""
    bound: list[socket.socket] = []
    checks: tuple[Callable[[], object], ...] = (
        lambda: _check_keys(hosted, host, keyless=keyless),
        hosted.assistants.warm,
        lambda: bound.append(_bind(host, port)),
    )
    wrong = []
    for check in checks:
        try:
            check()
        except DoceoError as error:
            wrong.append(error)
    if len(wrong) == 1:
        raise wrong[0]
    if wrong:
        hints = " ".join(error.hint for error in wrong)
        raise UsageError(" ".join(error.message for error in wrong), hint=hints)
    return bound[0]


def _check_keys(hosted: Host, host: str, *, keyless: bool) -> None:
    now = hosted.store.clock()
    if keyless or any(key.revoked is None and (key.expires or math.inf) > now for key in hosted.store.keys.all()):
        return
    raise UsageError(
        f"Others than this machine can reach {host}, and there is no key.",
        hint="Make one first: doceo keys create --owner NAME",
    )


def _bind(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise UsageError(f"Cannot listen on {host}:{port}: {error.strerror}.", hint="Choose another --port.") from error
