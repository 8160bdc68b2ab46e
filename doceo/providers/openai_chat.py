"""Chat models behind any OpenAI-compatible server, through the `openai` client.

The client never retries here (`max_retries=0`): `limiter.py` is the one place that does. Every error of the client
becomes one of ours in `openai_errors.py` and nowhere else. The body of a reply is read as plain JSON: building the
client's own reply objects costs as much CPU as everything else together.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import SplitResult, urlsplit

import openai

from doceo.core.errors import UsageError
from doceo.core.records import ChatReply, ChatRequest
from doceo.providers.dialect import Dialect
from doceo.providers.openai_errors import Server, said
from doceo.providers.openai_reply import Reader, take_chunk
from doceo.providers.prices import price_of
from doceo.providers.remote import is_loopback

Sent = TypeVar("Sent")


class OpenAIChat:
    """A chat model behind an OpenAI-compatible address. Used from one event loop.

    Args:
        model: The model's name at the server.
        base_url: The address, with its `/v1`.
        api_key: The key; None for servers that want none.
        kind: How the user named the sort of server, for `name` and for hints.
        name: How the model is called; left out, `KIND:MODEL`.
        timeout: Seconds that one reply may take; connecting may take 10 of them.
        connections: Most connections at the same time.
        prices: A price file of the user's own.
        clock: Seconds that only grow, to time replies.
        wall: Seconds since 1970, to read a `Retry-After` that is a date.

    Attributes:
        host: The host that receives the text, with its port where one is named.
        address: The address, without a password.
        price: What the model costs; None where that is not known.

    Raises:
        UsageError: The address is not an http or https address, or the key cannot be sent.
        ConfigError: The price file is wrong.
    """

    def __init__(
        self,
        model: str,
        base_url: str,
        api_key: str | None = None,
        *,
        kind: str = "openai",
        name: str = "",
        timeout: float = 600.0,
        connections: int = 100,
        prices: Path | None = None,
        clock: Callable[[], float] = time.perf_counter,
        wall: Callable[[], float] = time.time,
    ) -> None:
        parts = parts_of(base_url)
        if api_key and not (api_key.isascii() and api_key.isprintable()):
            raise UsageError(
                f"The key for {parts.hostname} holds a character that no key has.",
                hint="Copy it again, without line breaks, and set OPENAI_API_KEY to it.",
            )
        self.name = name or f"{kind}:{model}"
        self.host = parts.netloc.rpartition("@")[2]
        self.address = parts._replace(netloc=self.host).geturl()
        self.model, self.price = model, price_of(self.host, model, prices)
        self._clock, self._timeout = clock, timeout
        self._base_url, self._key, self._connections = base_url, api_key, connections
        self._server = Server(self.address, model, kind, key=api_key, wall=wall)
        self._reader = Reader(self.name, self._server, self.price)
        # OpenAI deprecates `max_tokens`; other servers often know nothing else.
        own = parts.hostname == "api.openai.com"
        self._dialect = Dialect(limit="max_completion_tokens" if own else "max_tokens")
        self._opened: openai.AsyncOpenAI | None = None

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer a request; reasoning between <think> marks is left out.

        Raises:
            ProviderError: As mapped in `openai_errors.py`; ReplyInvalid where the reply has no text.
        """
        start = self._clock()

        async def send(body: dict[str, object]) -> bytes:
            return await self._client.post("/chat/completions", body=body, cast_to=bytes)

        with self._server.errors():
            async with asyncio.timeout(self._timeout):
                body = json.loads(await self._ask(request, send))
        text, finish = self._reader.text(body, request)
        return ChatReply(text=text, finish=finish, usage=self._reader.usage(body, self._clock() - start))

    def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatReply, None]:
        """Yield the reply piece by piece, without the reasoning before it, then the whole. Raises ProviderError."""
        return self._reader.stream(self._parts(request), self._clock)

    async def models(self) -> list[str]:
        """Return the names of the models that the server lists. Raises ProviderError."""
        with self._server.errors():
            return [model.id async for model in self._client.models.list()]

    async def aclose(self) -> None:
        """Close the connections."""
        if self._opened is not None:
            await self._opened.close()

    @property
    def _client(self) -> openai.AsyncOpenAI:
        """The client, made at first use: its connections belong to the event loop that runs then."""
        if self._opened is None:
            limits = type(openai.DEFAULT_CONNECTION_LIMITS)
            self._opened = openai.AsyncOpenAI(
                base_url=self._base_url,
                api_key=self._key or "none",
                max_retries=0,
                timeout=openai.Timeout(self._timeout, connect=min(10.0, self._timeout)),
                # A redirect, or a proxy before this very machine, would send the text to a host that was not named.
                http_client=openai.DefaultAioHttpClient(
                    follow_redirects=False,
                    trust_env=not is_loopback(self.host),
                    limits=limits(max_connections=self._connections, max_keepalive_connections=self._connections),
                ),
            )
        return self._opened

    async def _parts(self, request: ChatRequest) -> AsyncGenerator[str | dict[str, object], None]:
        """Yield the text as it comes, and at the end what the server says of it: finish and usage."""

        async def send(body: dict[str, Any]) -> object:
            body = {**body, "stream": True}
            return await self._client.post(
                "/chat/completions", body=body, cast_to=object, stream=True, stream_cls=openai.AsyncStream[object]
            )

        with self._server.errors():
            chunks = await self._ask(request, send, streamed=True)
            if not isinstance(chunks, openai.AsyncStream):
                raise self._server.no_completion(chunks)
            told = dict[str, object]()
            given = False
            async with chunks:
                async for chunk in chunks:
                    if text := take_chunk(chunk, told):
                        given = True
                        yield text
            # a model may end without a word, at its limit or at a stop mark: an answer that was paid for
            if not (given or told):
                raise self._server.no_completion(None)
        yield told

    async def _ask(
        self, request: ChatRequest, send: Callable[[dict[str, Any]], Awaitable[Sent]], *, streamed: bool = False
    ) -> Sent:
        """Send a request, each time in the next weaker form while the server names a part that it refuses."""
        while True:
            dialect = self._dialect
            body = dialect.write(self.model, request, streamed=streamed)
            try:
                return await send(body)
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                weaker = dialect.after(said(error), body, own_form=request.strict is not None)
                if weaker is None:
                    raise
                # Another request may have learned the same in the meantime; then its dialect is tried.
                if self._dialect == dialect:
                    self._dialect = weaker


def parts_of(base_url: str) -> SplitResult:
    """Return an address taken apart. Raises UsageError where it is none."""
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(
            f"{base_url!r} is not an address.", hint="It looks like http://HOST:PORT/v1, with http or https."
        )
    return parts
