"""Chat completions; a stream holds the same in OpenAI's chunks."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel

from doceo.core.records import Hit, Trace
from doceo.service.replies.citations import CitationReply


class MessageReply(BaseModel):
    """The answer. `refusal` is always empty: see `refused`."""

    role: Literal["assistant"]
    content: str
    refusal: None


class OwnReply(BaseModel):
    """What Doceo tells beside OpenAI's fields: sources, and whether and why the answer is that it is not known."""

    citations: list[CitationReply] = []
    hits: list[Hit] = []
    refused: bool = False
    reason: str = ""
    short: str | None = None
    chance: float | None = None
    conversation: str = ""
    trace: Trace | None = None


class ChoiceReply(OwnReply):
    """One of several answers; Doceo's own fields of the first stand at the top of the reply."""

    index: int
    message: MessageReply
    finish_reason: Literal["stop", "length", "content_filter"]
    logprobs: None


class CachedReply(BaseModel):
    """Tokens of the prompt that the model's server had read before."""

    cached_tokens: int


class UsageReply(BaseModel):
    """Tokens of the prompt and of all answers."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int
    prompt_tokens_details: CachedReply


class CompletionReply(OwnReply):
    """A whole reply."""

    id: str
    object: Literal["chat.completion"]
    created: int
    model: str
    choices: list[ChoiceReply]
    usage: UsageReply
