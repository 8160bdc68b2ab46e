"""Opens the port and serves until stopped."""

from __future__ import annotations

import socket

import uvicorn

from doceo.app.host import Host
from doceo.core.errors import UsageError
from doceo.core.protocols import Progress
from doceo.service.http import create_app


def listen(hosted: Host, host: str, port: int, progress: Progress) -> None:
    """Serve on an address. Raises UsageError where it is taken; the default model is opened before the port."""
    names = hosted.assistants.names()
    if not names:
        raise UsageError(
            "There is nothing to serve: no documents and no model.",
            hint="Index documents first (doceo index FOLDER), or name a finished run or a --model.",
        )
    hosted.assistants.get(names[0])
    try:
        bound = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        raise UsageError(f"Cannot listen on {host}:{port}: {error.strerror}.", hint="Choose another --port.") from error
    address = f"http://{host}:{bound.getsockname()[1]}"
    progress.say(f"Serving {', '.join(names[:6])} at {address}/v1 (Ctrl-C stops).")
    if host not in ("127.0.0.1", "localhost", "::1"):
        progress.say("Anybody who can reach this address can ask; there are no keys in this version.")
    server = uvicorn.Server(uvicorn.Config(create_app(hosted), log_level="warning"))
    with bound:
        server.run(sockets=[bound])
