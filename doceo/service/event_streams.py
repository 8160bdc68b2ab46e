"""Streams of a job's events: open until the job has ended, as long as the key that asked for them holds."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from itertools import count
from typing import Annotated

from fastapi import Depends, Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from doceo.app.host import Host
from doceo.core.access import Caller
from doceo.core.errors import NotFound, StorageError
from doceo.core.jobs import Job, JobEvent
from doceo.service.refusals import Refusal, error_body
from doceo.service.shapes.jobs import shown_event

_EVERY = 1.0
"""Seconds between two looks for new events."""
_KEY = 5
"""Looks from one at the key to the next."""
_ALIVE = 15
"""Looks without events after which a stream shows that it is still there."""
_PAGE = 200
_DONE = "data: [DONE]\n\n"


class EventStreams:
    """Counts the streams that are open. Used from one event loop.

    Args:
        most: Most at once for each owner.
    """

    def __init__(self, most: int) -> None:
        self._most, self._open = most, Counter[str]()

    def opened(self, host: Host, caller: Caller, job: Job, name: str, place: int) -> StreamingResponse:
        """Return the response that sends the events of a caller's job behind a place; `name` is the job's object.

        Raises Refusal (429).
        """
        if self._open[caller.owner] >= self._most:
            message = f"{self._most} streams of events are open. Close one, or ask for pages of events."
            headers = {"Retry-After": "1"}
            raise Refusal(429, message, code="too_many_streams", kind="requests", headers=headers)
        self._open[caller.owner] += 1
        return _EventStream(_told(host, caller, job, name, place), self, caller.owner)

    def closed(self, owner: str) -> None:
        """Note that a stream has ended."""
        self._open -= Counter((owner,))


class _EventStream(StreamingResponse):
    """A stream that is counted until its end, however that comes about."""

    def __init__(self, told: AsyncIterator[str], streams: EventStreams, owner: str) -> None:
        super().__init__(told, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
        self._streams, self._owner = streams, owner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._streams.closed(self._owner)


async def event_streams_of(request: Request) -> EventStreams:
    """Return the application's streams."""
    state = request.app.state
    if not hasattr(state, "event_streams"):
        state.event_streams = EventStreams(state.host.settings.service.max_event_streams)
    found: EventStreams = state.event_streams
    return found


Streams = Annotated[EventStreams, Depends(event_streams_of)]


async def _told(host: Host, caller: Caller, job: Job, name: str, place: int) -> AsyncIterator[str]:
    """Yield server-sent events until the job has ended and all are told; the database may be away meanwhile."""
    silent = 0
    for look in count(1):
        try:
            if look % _KEY == 0 and not await run_in_threadpool(host.store.keys.holds, caller.key):
                refused = error_body("This API key holds no longer.", "invalid_request_error", "invalid_api_key")
                yield f"data: {json.dumps(refused)}\n\n"
                return
            found, over = await run_in_threadpool(_behind, host, job, place)
        except NotFound:  # it was deleted
            found, over = [], True
        except StorageError:
            found, over = [], False
        for event in found:
            place = event.place
            yield f"data: {json.dumps(shown_event(job, event, name))}\n\n"
        if over:
            yield _DONE
            return
        silent = 0 if found else silent + 1
        if silent and silent % _ALIVE == 0:
            yield ": waiting\n\n"
        if len(found) < _PAGE:
            await asyncio.sleep(_EVERY)


def _behind(host: Host, job: Job, place: int) -> tuple[list[JobEvent], bool]:
    """Return the events of a job behind a place, and whether no more will come. Raises NotFound, StorageError."""
    # The job first: what it said last is among the events then.
    ended = host.store.jobs.get(job.owner, job.id, job.kind).ended
    found = host.store.job_events.page(job.owner, job.id, after=place, limit=_PAGE, oldest_first=True)
    return found, ended and len(found) < _PAGE
