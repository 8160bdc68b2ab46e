"""`/metrics`: what Prometheus reads."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response, Security
from fastapi.security import HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool

from doceo.core.access import Caller
from doceo.service.access import Hosted, Needs
from doceo.service.metrics import Measured

router = APIRouter(tags=["Health"])


async def may_measure(request: Request, host: Hosted) -> None:
    """Let administrators through, or everybody where the settings say so. Raises Refusal (403)."""
    if not host.settings.service.open_metrics:
        caller: Caller = request.state.caller
        await Needs("admin")(caller)


@router.get(
    "/metrics",
    # the second is for the description only: the gate has looked at the key
    dependencies=[Depends(may_measure), Security(HTTPBearer(auto_error=False))],
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
async def measurements(host: Hosted, metrics: Measured) -> Response:
    """Return all counters in the text form of Prometheus."""
    jobs = await run_in_threadpool(host.store.jobs.counts)
    return Response(metrics.text(jobs), media_type=CONTENT_TYPE_LATEST)
