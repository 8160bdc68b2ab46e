"""`/v1/chat/completions`: answers with citations, whole or as server-sent events."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from doceo.app.host import Host
from doceo.app.served import Ended, Query
from doceo.app.store.owners import VECTOR_STORE
from doceo.core.access import Caller
from doceo.core.errors import DoceoError
from doceo.core.records import ProfileEntry
from doceo.service.access import MayChat
from doceo.service.admission import Admitted, Entry
from doceo.service.answers import Answers, Shown
from doceo.service.completions import DONE, Completion, event
from doceo.service.failures import failure
from doceo.service.found_models import Found, found
from doceo.service.kept_talk import KeptTalk
from doceo.service.leaving import ClientLeft, while_there
from doceo.service.meter import Meter, Metered
from doceo.service.replies.completions import CompletionReply
from doceo.service.shapes.chat import CompletionRequest, unsupported

router = APIRouter(prefix="/v1/chat", tags=["Chat"])


_DESCRIBED: dict[int | str, dict[str, Any]] = {
    200: {"model": CompletionReply, "content": {"text/event-stream": {"schema": {"type": "string"}}}}
}


@router.post("/completions", response_model=None, responses=_DESCRIBED)
async def complete(
    asked: CompletionRequest, request: Request, caller: MayChat, meter: Metered, admission: Admitted
) -> Response:
    """Answer the last user message; the turns before it are its history."""
    asked.check()
    entry = admission.enter(request, asked.choices)
    begun: tuple[str, AsyncGenerator[str, None]] | dict[str, object] | None = None
    try:
        begun = await while_there(request, _begun(request, caller, asked, meter, entry))
    except ClientLeft:
        return Response(status_code=499)  # nobody reads it
    finally:
        if not isinstance(begun, tuple):
            entry.leave()
    if isinstance(begun, tuple):
        return StreamingResponse(_from(*begun), media_type="text/event-stream", headers=_HEADERS)
    return JSONResponse(begun)


_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class _Chat:
    """One request, everything that it needs at hand."""

    def __init__(
        self,
        request: Request,
        caller: Caller,
        asked: CompletionRequest,
        meter: Meter,
        who: Found,
        talk: KeptTalk | None,
    ) -> None:
        host: Host = request.app.state.host
        self._request, self._host, self._caller, self._asked, self._talk = request, host, caller, asked, talk
        self._collection = who.collection
        self._queries: Sequence[Query] = ()
        model = host.assistants.parted(asked.model)[0]
        self._answers = Answers(who.served, meter, model)
        name, created = f"chatcmpl-{secrets.token_hex(16)}", int(host.store.clock())
        self._completion = Completion(name, created, asked.model, trace=asked.trace)

    def ask(self, queries: Sequence[Query]) -> None:
        """Say what is asked, once for each answer that is wanted."""
        self._queries = queries

    async def whole(self) -> dict[str, object]:
        """Return the reply. Raises DoceoError."""
        answers = await self._answers.all(self._queries)
        completion = await self._kept(await self._sourced(answers), answers[0])
        return completion.whole(answers)

    async def events(self, entry: Entry) -> AsyncGenerator[str, None]:
        """Yield the events of the reply. What goes wrong before the first word is raised, later it is an event."""
        ended = dict[int, Ended]()
        # what comes together is sent together: every write is a call of the system
        head, tail = "".join(self._completion.begin(n) for n in range(len(self._queries))), ""
        with entry.held():
            try:
                async with aclosing(self._answers.stream(self._queries)) as parts:
                    async for index, part in parts:
                        shown, tail = await self._shown(part, index, ended), ""
                        if len(ended) < len(self._queries):
                            yield head + shown
                        else:
                            tail = head + shown
                        head = ""
                answers = [ended[index] for index in sorted(ended)]
                yield tail + (self._completion.usage(answers) if self._asked.wants_usage else "") + DONE
            except DoceoError as error:
                if head:
                    raise
                yield event(failure(self._request, error).body)

    async def _shown(self, part: Shown, index: int, ended: dict[int, Ended]) -> str:
        """Return the event of a part; an answer that is whole is put among those that have ended."""
        if isinstance(part, str):
            return self._completion.text(part, index)
        if not isinstance(part, Ended):
            return self._completion.citation(part, index)
        completion = await self._kept(await self._sourced([part]), part)
        ended[index] = part
        return completion.end(part, index)

    async def _kept(self, completion: Completion, ended: Ended) -> Completion:
        """Write an answer into its conversation, and return how the reply is written then."""
        if self._talk is None:
            return completion
        asked = self._queries[0].question, ended.answer, f"model {self._asked.model}", completion.files
        name = await asyncio.to_thread(self._talk.keep, self._host, self._caller, *asked)
        return replace(completion, conversation=name)

    async def _sourced(self, answers: Sequence[Ended]) -> Completion:
        """Return how a reply is written that says which files of a vector store it cites."""
        sources = {citation.source for ended in answers for citation in ended.answer.citations}
        if not sources or not self._collection.startswith(VECTOR_STORE):
            return self._completion
        rows = await asyncio.to_thread(self._host.store.attachments.called, self._collection, sources)
        return replace(self._completion, files={row.source: row.file for row in rows})


async def _begun(
    request: Request, caller: Caller, asked: CompletionRequest, meter: Meter, entry: Entry
) -> tuple[str, AsyncGenerator[str, None]] | dict[str, object]:
    """Return the whole reply; of a stream its first event and the rest, so that an error before it has a status."""
    chat = await _opened(request, caller, asked, meter)
    if not asked.stream:
        return await chat.whole()
    events = chat.events(entry)
    return await anext(events), events


async def _opened(request: Request, caller: Caller, asked: CompletionRequest, meter: Meter) -> _Chat:
    """Return a request with its model, conversation and profile. Raises Refusal, DoceoError."""
    host: Host = request.app.state.host
    who = await found(host, caller, asked.model, asked.collection)
    if asked.form is not None and not who.served.forms:
        raise unsupported("response_format", f"{asked.model} cannot be held to a JSON form.")
    *before, question = [turn.message() for turn in asked.messages]
    history = [message for message in before if message.role != "system"]
    system = "\n\n".join(message.content for message in before if message.role == "system" and message.content)
    talk = None
    if asked.conversation:
        talk = await asyncio.to_thread(KeptTalk.opened, host, caller, asked.conversation, history)
        history = [*talk.history]
    profile = await asyncio.to_thread(_profile, host, caller) if asked.profile else []
    chat = _Chat(request, caller, asked, meter, who, talk)
    query = Query(question.content, history, profile, asked.sampling(), system, who.only)
    chat.ask([_choice(query, index) for index in range(asked.choices)])
    return chat


def _choice(query: Query, index: int) -> Query:
    """Return the query of one of several answers: each is drawn by a seed of its own."""
    if not index or query.sampling.seed is None:
        return query
    return replace(query, sampling=query.sampling.model_copy(update={"seed": query.sampling.seed + index}))


def _profile(host: Host, caller: Caller) -> list[ProfileEntry]:
    profiles = host.store.profiles
    return profiles.entries(caller.owner) if profiles.enabled(caller.owner) else []


async def _from(first: str, events: AsyncGenerator[str, None]) -> AsyncGenerator[str, None]:
    async with aclosing(events):
        yield first
        async for event in events:
            yield event
