"""A chat model that says what it was told to say: for tests and for examples that run without any model."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from pathlib import Path

from doceo.core.errors import DoceoError, InputError, ProviderError, ReplyInvalid
from doceo.core.fingerprint import canonical
from doceo.core.records import ChatReply, ChatRequest
from doceo.providers.journal import fingerprint

Script = Callable[[ChatRequest], "str | ChatReply"]
NAME = "scripted:replies"


class Scripted:
    """A provider with scripted replies. Safe for several threads.

    Args:
        replies: What it says, in order, an error being raised; or a function of the request.
        name: The provider's name.

    Attributes:
        requests: Every request, in the order of arrival.
    """

    host = ""

    def __init__(self, replies: Iterable[str | ChatReply | DoceoError] | Script, *, name: str = NAME) -> None:
        self.name = name
        self.requests: list[ChatRequest] = []
        self._script = replies if callable(replies) else _in_order(replies)

    @classmethod
    def recorded(cls, path: Path, *, name: str = NAME) -> Scripted:
        """Return a provider that answers from a file of recorded replies, by the fingerprint of the request.

        Lines are `{"fingerprint": ..., "reply": text}`, as `record` writes them. Raises InputError naming file and
        line; a request that was not recorded raises ReplyInvalid.
        """
        kept = dict(_read(path))

        def look_up(request: ChatRequest) -> str:
            reply = kept.get(fingerprint(name, request))
            if reply is None:
                said = request.messages[-1].content[:80] if request.messages else ""
                raise ReplyInvalid(f"{path} has no reply to: {said}", hint="Record it again; the prompt has changed.")
            return reply

        return cls(look_up, name=name)

    def complete(self, request: ChatRequest) -> ChatReply:
        """Return the scripted reply. Raises the scripted error."""
        self.requests.append(request)
        reply = self._script(request)
        return reply if isinstance(reply, ChatReply) else ChatReply(text=reply)

    def stream(self, request: ChatRequest) -> Iterator[str | ChatReply]:
        """Yield the scripted reply word by word, and then the whole of it."""
        reply = self.complete(request)
        text, start = reply.text, 0
        for index, letter in enumerate(text):
            if letter == " ":
                yield text[start : index + 1]
                start = index + 1
        if text[start:]:
            yield text[start:]
        yield reply

    def asynchronous(self) -> AsyncScripted:
        """Return the same script, to be asked from an event loop."""
        return AsyncScripted(self)


class AsyncScripted:
    """The asynchronous face of a script: it lets others run before it answers.

    Args:
        scripted: The script.
    """

    host = ""

    def __init__(self, scripted: Scripted) -> None:
        self.name = scripted.name
        self._scripted = scripted

    @property
    def requests(self) -> list[ChatRequest]:
        """Every request, in the order of arrival."""
        return self._scripted.requests

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Return the scripted reply. Raises the scripted error."""
        await asyncio.sleep(0)
        return self._scripted.complete(request)

    async def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatReply, None]:
        """Yield the scripted reply word by word, and then the whole of it."""
        for piece in self._scripted.stream(request):
            await asyncio.sleep(0)
            yield piece

    async def aclose(self) -> None:
        """Do nothing: a script keeps no connection."""


def record(request: ChatRequest, reply: str, *, name: str = NAME) -> str:
    """Return the line of a recorded reply."""
    return canonical({"fingerprint": fingerprint(name, request), "reply": reply})


def _read(path: Path) -> Iterator[tuple[str, str]]:
    try:
        lines = path.read_text(encoding="utf-8").rstrip("\n").split("\n")
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}.", hint="Check the file's name.") from error
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
            yield row["fingerprint"], row["reply"]
        except (ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"{path}, line {number}: no recorded reply ({error}).",
                hint='Every line has to be {"fingerprint": ..., "reply": ...}.',
            ) from error


def _in_order(replies: Iterable[str | ChatReply | DoceoError]) -> Script:
    rest, turn = iter(replies), threading.Lock()

    def say(_request: ChatRequest) -> str | ChatReply:
        with turn:
            reply = next(rest, None)
        if reply is None:
            raise ProviderError("The script has no reply left.", hint="Give it as many replies as there are requests.")
        if isinstance(reply, DoceoError):
            raise reply
        return reply

    return say
