"""`/healthz`: the process is up. `/readyz`: it can answer. Both are open and tell no more than that."""

from __future__ import annotations

import time

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from doceo.app.readiness import OK, readiness
from doceo.service.access import Hosted

router = APIRouter(tags=["Health"])

_FRESH = 1.0
"""Seconds after which everything is looked at again, however often somebody asks."""
_ADVISORY = ("worker",)
"""What is told and does not make the service unready: jobs wait, answers do not."""


@router.get("/healthz")
async def health() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "ok"}


@router.get(
    "/readyz",
    responses={
        200: {"model": dict[str, str]},
        503: {"model": dict[str, str], "description": "Some part is not ready."},
    },
)
async def ready(request: Request, host: Hosted) -> JSONResponse:
    """Say which parts are ready: `ok`, or the code of what is wrong."""
    state, now = request.app.state, time.monotonic()
    known: tuple[float, dict[str, str]] | None = getattr(state, "readiness", None)
    if known is None or now - known[0] >= _FRESH:
        known = state.readiness = (now, await run_in_threadpool(readiness, host))
    parts = known[1]
    whole = all(word == OK for name, word in parts.items() if name not in _ADVISORY)
    return JSONResponse({"status": "ready" if whole else "not ready", **parts}, 200 if whole else 503)
