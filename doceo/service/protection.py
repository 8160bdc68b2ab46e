"""Puts what protects and watches the service around its routes."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI

from doceo.app.host import Host
from doceo.service.access import Callers
from doceo.service.admission import Admission, Turnstile
from doceo.service.bodies import Bodies
from doceo.service.gate import Gate
from doceo.service.housekeeping import done, housekeeping, scrub
from doceo.service.limits import FRESH, Limits
from doceo.service.metrics import Metrics
from doceo.service.quota import Quota
from doceo.service.spans import Spans
from doceo.service.trail import Trail
from doceo.service.watch import Watch

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def protect(app: FastAPI, host: Host, spans: Spans, *, keyless: bool) -> None:
    """Put the middleware around an application, and keep its parts in the application's state.

    From outside to inside: each request gets its id and is counted (Watch), noted (Trail), its key is looked at (Gate),
    it is turned away where too many ask (Turnstile), its body is counted (Bodies).
    """
    config = host.settings.service
    limits, metrics = Limits(host, config), Metrics()
    app.state.host, app.state.limits, app.state.metrics, app.state.spans = host, limits, metrics, spans
    app.state.quota = Quota(host)
    app.state.admission = Admission(config.max_chats, metrics)
    app.add_middleware(Bodies, config=config)
    app.add_middleware(Turnstile, admission=app.state.admission)
    app.add_middleware(
        Gate,
        callers=Callers(host, limits, keyless=keyless),
        limits=limits,
        metrics=metrics,
        hosts=config.hosts,
        open_metrics=config.open_metrics,
    )
    app.add_middleware(Trail, host=host, limits=limits)
    app.add_middleware(Watch, metrics=metrics, spans=spans)


def lifespan(host: Host) -> Lifespan:
    """Return what an application does while it runs: it keeps house, and writes what was counted every second."""

    @asynccontextmanager
    async def run(app: FastAPI) -> AsyncIterator[None]:
        # what is open by now stays: the collector need not look at it again and again
        gc.freeze()
        tasks = [asyncio.create_task(_write_usage(app.state.limits)), asyncio.create_task(housekeeping(host))]
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
            await _flush(app.state.limits)
            await scrub(host)
            await host.assistants.aclose()

    return run


async def _write_usage(limits: Limits) -> None:
    while True:
        await asyncio.sleep(FRESH)
        await _flush(limits)


async def _flush(limits: Limits) -> None:
    await done("What keys have used cannot be written yet", asyncio.to_thread(limits.flush))
