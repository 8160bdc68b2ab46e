"""Serves an application in a thread, so that stock clients can ask it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import openai
import uvicorn
from fastapi import FastAPI

from data.store import Run
from doceo.app.assistants import Assistants
from doceo.app.host import Host
from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.service.connections import protocol
from tests.service.description import Checked


def host_in(folder: Path, run: Path | None = None, **settings: Any) -> Host:
    """Return what a service works with: everything it keeps lies in the folder, whatever the working folder is."""
    chosen = Settings(**{"model": "quote", "database_url": f"sqlite:///{folder / 'kept.sqlite'}", **settings})
    assistants = Assistants(chosen, Console(as_json=True), Run(run) if run else None, home=folder)
    return Host(chosen, assistants, folder)


@contextmanager
def serving(
    app: FastAPI, *, header_seconds: float = 10.0, unread_seconds: float = 60.0, drain_seconds: int = 5
) -> Iterator[str]:
    """Serve on a free port, as `doceo serve` does; yields the address without `/v1`.

    Fails where an answer was not as `/openapi.json` describes it.
    """
    checked = Checked(app)
    config = uvicorn.Config(
        checked,
        host="127.0.0.1",
        port=0,
        http=protocol(header_seconds, unread_seconds),
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=drain_seconds,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            time.sleep(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(drain_seconds + 5)
    assert not checked.wrong, "\n".join(checked.wrong[:5])


def client_of(address: str, key: str = "none") -> openai.OpenAI:
    """Return the stock client, strict and without retries."""
    return openai.OpenAI(
        base_url=f"{address}/v1",
        api_key=key,
        http_client=openai.DefaultHttpxClient(verify=False),
        _strict_response_validation=True,
        max_retries=0,
    )


def plain() -> httpx.Client:
    """Return a client that keeps no connection, and does not read the certificates that nothing here needs."""
    return httpx.Client(verify=False, limits=httpx.Limits(max_keepalive_connections=0), timeout=20)
