"""Opens the port and serves until stopped."""

from __future__ import annotations

import ipaddress
import math
import socket
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

import uvicorn

from doceo.app.host import Host
from doceo.app.jobs.own_workers import own_workers
from doceo.app.model_check import check_model, check_vllm
from doceo.app.readiness import check_collection
from doceo.core.errors import DoceoError, UsageError
from doceo.core.protocols import Progress
from doceo.service.connections import protocol
from doceo.service.http import create_app
from doceo.service.logs import set_up_logs
from doceo.service.spans import Spans, open_spans


def listen(hosted: Host, host: str, port: int, progress: Progress) -> None:
    """Serve on an address, once everything that answers need is open.

    Raises DoceoError where something is wrong, naming all that is.
    """
    config = hosted.settings.service
    set_up_logs(as_json=config.json_logs)
    keyless = is_loopback(host)
    with ExitStack() as held:
        bound, spans = _checked(hosted, host, port, held, keyless=keyless)
        address = f"http://{f'[{host}]' if ':' in host else host}:{bound.getsockname()[1]}"
        progress.say(f"Serving {', '.join(hosted.assistants.names()[:6])} at {address}/v1 (Ctrl-C stops).")
        if keyless and not hosted.store.keys.any():
            progress.say("Everybody on this machine may ask; with doceo keys create nobody without a key may.")
        app = create_app(hosted, spans, keyless=keyless)
        settings = uvicorn.Config(
            app,
            http=protocol(config.header_seconds, config.unread_seconds),
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


def _checked(hosted: Host, host: str, port: int, held: ExitStack, *, keyless: bool) -> tuple[socket.socket, Spans]:
    """Return the open port, and what makes spans, both held.

    Raises DoceoError that names everything that is wrong, not only what comes first.
    """
    bound, spans = list[socket.socket](), list[Spans]()
    settings = hosted.settings
    checks: tuple[Callable[[], object], ...] = (
        lambda: _check_keys(hosted, host, keyless=keyless),
        *(partial(check_model, spec, settings) for spec in hosted.assistants.models().values()),
        partial(check_vllm, settings.service.vllm),
        partial(check_collection, hosted),
        hosted.assistants.warm,
        lambda: spans.append(held.enter_context(open_spans(settings.service))),
        lambda: bound.append(held.enter_context(_bind(host, port))),
    )
    wrong: dict[str, DoceoError] = {}
    for check in checks:
        try:
            check()
        except DoceoError as error:
            wrong.setdefault(error.message, error)
    if len(wrong) == 1:
        raise next(iter(wrong.values()))
    if wrong:
        raise UsageError(" ".join(wrong), hint=" ".join(dict.fromkeys(error.hint for error in wrong.values())))
    return bound[0], spans[0]


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
