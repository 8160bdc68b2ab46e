"""`/v1/chat/completions`: answers with citations, whole or as server-sent events."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from typing import Literal

from fastapi import APIRouter, HTTPException
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from doceo.core.errors import DoceoError
from doceo.core.protocols import Answerer
from doceo.core.records import Answer, Citation, Message
from doceo.service.access import Hosted

router = APIRouter(prefix="/v1/chat")


class Part(BaseModel):
    """A piece of a message's content; only text can be read."""

    model_config = ConfigDict(extra="ignore")

    type: Literal["text"]
    text: str


class Turn(BaseModel):
    """A message as clients send it."""

    model_config = ConfigDict(extra="ignore")

    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[Part]

    def message(self) -> Message:
        """Return it as a record."""
        text = self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)
        return Message(role="system" if self.role == "developer" else self.role, content=text)


class StreamOptions(BaseModel):
    """What a stream carries besides the text."""

    model_config = ConfigDict(extra="ignore")

    include_usage: bool = False


class CompletionRequest(BaseModel):
    """What is read of a request; sampling is the service's own setting, other fields are ignored."""

    model_config = ConfigDict(extra="ignore")

    model: str
    messages: list[Turn] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions | None = None


@router.post("/completions", response_model=None)
def complete(request: CompletionRequest, host: Hosted) -> dict[str, object] | StreamingResponse:
    """Answer the last user message; the turns before it are its history."""
    if request.messages[-1].role != "user":
        raise HTTPException(400, "The last message has to be the user's.")
    answerer = host.assistants.get(request.model)
    if answerer is None:
        raise HTTPException(404, f"The model {request.model!r} does not exist; /v1/models lists those that do.")
    *history, question = [turn.message() for turn in request.messages]
    turns = [message for message in history if message.role != "system"]
    head = {"id": f"chatcmpl-{uuid.uuid4().hex}", "created": int(time.time()), "model": request.model}
    if request.stream:
        usage = bool(request.stream_options and request.stream_options.include_usage)
        events = _events(answerer, question.content, turns, head, usage=usage)
        return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})
    answer = answerer.answer(question.content, turns)
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": answer.text, "refusal": None},
        "finish_reason": "stop",
        "logprobs": None,
    }
    return {**head, "object": "chat.completion", "choices": [choice], "usage": _usage(answer), **_extra(answer)}


def _events(
    answerer: Answerer, question: str, history: list[Message], head: dict[str, object], *, usage: bool
) -> Iterator[str]:
    """Yield OpenAI's chunks, with extra fields: each citation when it is known; at the end all, and the refusal."""

    def chunk(delta: dict[str, object], finish: str | None = None, **extra: object) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return _event({**head, "object": "chat.completion.chunk", "choices": [choice], **extra})

    yield chunk({"role": "assistant", "content": ""})
    answer = Answer(text="")
    try:
        for piece in answerer.stream(question, history):
            if isinstance(piece, Answer):
                answer = piece
            elif isinstance(piece, Citation):
                yield chunk({}, citations=[piece.model_dump(mode="json")])
            else:
                yield chunk({"content": piece})
    except DoceoError as error:
        # The status line is gone by now: the error travels as an event, which the stock client raises.
        yield _event(
            {
                "error": {
                    "message": f"{error.message} {error.hint}",
                    "type": "server_error",
                    "param": None,
                    "code": error.code,
                }
            }
        )
        return
    yield chunk({}, "stop", **_extra(answer))
    if usage:
        yield _event({**head, "object": "chat.completion.chunk", "choices": [], "usage": _usage(answer)})
    yield "data: [DONE]\n\n"


def _event(value: dict[str, object]) -> str:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n"


def _usage(answer: Answer) -> dict[str, int]:
    used = answer.usage
    return {
        "prompt_tokens": used.prompt_tokens,
        "completion_tokens": used.completion_tokens,
        "total_tokens": used.prompt_tokens + used.completion_tokens,
    }


def _extra(answer: Answer) -> dict[str, object]:
    return {
        "citations": [citation.model_dump(mode="json") for citation in answer.citations],
        "hits": [hit.model_dump(mode="json") for hit in answer.hits],
        "refused": answer.refused,
        "reason": answer.reason,
        "short": answer.short,
        "chance": answer.chance,
    }
