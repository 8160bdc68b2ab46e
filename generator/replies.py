"""Asks a chat model for something that has to be read, and once more where it could not be."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from doceo.core.errors import ReplyInvalid
from doceo.core.protocols import AsyncProvider
from doceo.core.records import ChatReply, ChatRequest, Message
from doceo.text.thinking import without_thinking
from prompts.catalog import Template

T = TypeVar("T")
_LONGEST_SHOWN = 6000


def unread(detail: str) -> ReplyInvalid:
    """Return the error of a reply that cannot be read; `detail` is what the model is told."""
    return ReplyInvalid(detail, hint="If this happens often, take a stronger model.")


async def ask(
    provider: AsyncProvider,
    request: ChatRequest,
    read: Callable[[ChatReply], T],
    again: Template,
) -> T:
    """Return what a model's reply says; an empty reply, or one that `read` refuses, is asked for again, once.

    The second request tells the model what was wrong, and so differs from the first: neither is answered by the
    other's kept reply. A reply that broke off or was empty is given twice the room.

    Args:
        provider: The chat model.
        request: What is asked.
        read: Takes a reply without its reasoning to its value; raises ReplyInvalid with what is wrong.
        again: The prompt that says so; its variable is `error`.

    Raises:
        ReplyInvalid: Both replies could not be read.
        ProviderError: The model failed.
    """
    try:
        said = await _reply(provider, request)
    except ReplyInvalid:
        # Nothing came, perhaps since a model that reasons used up its room.
        said, wrong = ChatReply(text="", finish="length"), "It was empty."
    else:
        try:
            return read(said)
        except ReplyInvalid as error:
            wrong = error.message
    room = request.max_tokens * (2 if said.finish == "length" else 1)
    messages = _with_error(request.messages, said.text, again.fill(error=wrong)[-1])
    return read(await _reply(provider, request.model_copy(update={"messages": messages, "max_tokens": room})))


async def _reply(provider: AsyncProvider, request: ChatRequest) -> ChatReply:
    """Return a reply without its reasoning. Raises ReplyInvalid where nothing is left of it."""
    reply = await provider.complete(request)
    bare = without_thinking(reply.text).strip()
    if not bare:
        raise unread("It was empty.")
    return reply if bare == reply.text else reply.model_copy(update={"text": bare})


def _with_error(messages: Sequence[Message], said: str, correction: Message) -> tuple[Message, ...]:
    """Return the conversation with the model's reply and what is wrong with it.

    An empty reply is no turn that servers take, so the correction then ends the user's own turn.
    """
    if said:
        shown = Message(role="assistant", content=said[:_LONGEST_SHOWN])
        return (*messages, shown, correction)
    last = messages[-1]
    joined = last.model_copy(update={"content": f"{last.content}\n\n{correction.content}"})
    return (*messages[:-1], joined)
