"""Chat models behind any OpenAI-compatible server, through the `openai` client.

The client never retries here (`max_retries=0`): `limiter.py` is the one place that does. Every error of the client
becomes one of ours in `openai_errors.py` and nowhere else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import SplitResult, urlsplit

import openai
from openai.types.chat import ChatCompletion

from doceo.core.errors import ReplyInvalid, UsageError
from doceo.core.records import ChatReply, ChatRequest, Usage
from doceo.providers.dialect import Dialect
from doceo.providers.openai_errors import Server, said
from doceo.providers.prices import price_of
from doceo.text.thinking import stream_without_thinking, without_thinking

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class OpenAIChat:
    """A chat model behind an OpenAI-compatible address. Safe for several threads.

    Args:
        model: The model's name at the server.
        base_url: The address, with its `/v1`.
        api_key: The key; None for servers that want none.
        kind: How the user named the sort of server, for `name` and for hints.
        timeout: Seconds that one reply may take; connecting may take 10 of them.
        clock: Seconds that only grow, to time replies.
        wall: Seconds since 1970, to read a `Retry-After` that is a date.

    Raises:
        UsageError: The address is not an http or https address.
    """

    def __init__(
        self,
        model: str,
        base_url: str,
        api_key: str | None = None,
        *,
        kind: str = "openai",
        timeout: float = 600.0,
        clock: Callable[[], float] = time.perf_counter,
        wall: Callable[[], float] = time.time,
    ) -> None:
        parts = _split(base_url)
        self.name = f"{kind}:{model}"
        self.host = parts.netloc.rpartition("@")[2]
        self.address = parts._replace(netloc=self.host).geturl()
        self._model, self._clock = model, clock
        self._server = Server(self.address, model, kind, key=api_key, wall=wall)
        # OpenAI deprecates `max_tokens`; other servers often know nothing else.
        own = parts.hostname == "api.openai.com"
        self._dialect = Dialect(limit="max_completion_tokens" if own else "max_tokens")
        self._learning = threading.Lock()
        self._client = openai.OpenAI(
            base_url=base_url,
            api_key=api_key or "none",
            max_retries=0,
            timeout=openai.Timeout(timeout, connect=min(10.0, timeout)),
            # A redirect or a proxy before this very machine would send the text to a host that was not named.
            http_client=openai.DefaultHttpxClient(follow_redirects=False, trust_env=parts.hostname not in _LOOPBACK),
        )

    def complete(self, request: ChatRequest) -> ChatReply:
        """Answer a request; reasoning between <think> marks is left out.

        Raises:
            ProviderError: As mapped below; ReplyInvalid where the reply has no text.
        """
        start = self._clock()
        with self._server.errors():
            completion = self._ask(request, lambda body: self._client.chat.completions.create(**body))
        reply = self._read(completion, request)
        return reply.model_copy(update={"usage": self._usage(completion, self._clock() - start)})

    def stream(self, request: ChatRequest) -> Iterator[str]:
        """Yield the reply piece by piece. Raises ProviderError."""
        return stream_without_thinking(self._pieces(request))

    def models(self) -> list[str]:
        """Return the names of the models that the server lists. Raises ProviderError."""
        with self._server.errors():
            return [model.id for model in self._client.models.list()]

    def _pieces(self, request: ChatRequest) -> Iterator[str]:
        with self._server.errors():
            chunks = self._ask(request, lambda body: self._client.chat.completions.create(**body, stream=True))
            if not isinstance(chunks, openai.Stream):
                raise self._server.no_completion(chunks)
            said_something = False
            with chunks:
                for chunk in chunks:
                    if chunk.choices and chunk.choices[0].delta and chunk.choices[0].delta.content:
                        said_something = True
                        yield chunk.choices[0].delta.content
            if not said_something:
                raise self._server.no_completion(None)

    def _ask(self, request: ChatRequest, send: Callable[[dict[str, Any]], Any]) -> Any:  # noqa: ANN401 (the client's types)
        """Send a request, each time in the next weaker form while the server names a part that it refuses."""
        while True:
            dialect = self._dialect
            body = dialect.write(self._model, request)
            try:
                return send(body)
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                weaker = dialect.after(said(error), body)
                if weaker is None:
                    raise
                with self._learning:
                    # Another thread may have learned the same in the meantime; then its dialect is tried.
                    if self._dialect == dialect:
                        self._dialect = weaker

    def _read(self, completion: object, request: ChatRequest) -> ChatReply:
        if not isinstance(completion, ChatCompletion) or not completion.choices:
            raise self._server.no_completion(completion)
        finish = completion.choices[0].finish_reason
        # The client builds replies without checking them, so that any field may be missing.
        message: Any = completion.choices[0].message
        text = without_thinking(getattr(message, "content", None) or "")
        if text.strip():
            return ChatReply(text=text, finish="length" if finish == "length" else "stop")
        if finish == "length":
            raise ReplyInvalid(
                f"{self.name} at {self.address} used all {request.max_tokens} tokens before it wrote an answer.",
                hint="Allow more tokens, or take a model that thinks less.",
            )
        refusal = getattr(message, "refusal", None)
        if finish == "content_filter" or refusal:
            raise ReplyInvalid(
                f"{self.name} at {self.address} withheld its reply: {(refusal or 'content filter')[:300]}",
                hint="The server's content filter decides this; leave that passage out, or take another model.",
            )
        raise ReplyInvalid(
            f"{self.name} at {self.address} sent an empty reply.", hint="Try again, or take another model."
        )

    def _usage(self, completion: ChatCompletion, seconds: float) -> Usage:
        used = completion.usage
        if used is None:
            return Usage(seconds=seconds)
        cached = (used.prompt_tokens_details.cached_tokens or 0) if used.prompt_tokens_details else 0
        prompt, completed = used.prompt_tokens or 0, used.completion_tokens or 0
        price = price_of(self.host, self._model)
        return Usage(
            prompt_tokens=prompt,
            completion_tokens=completed,
            cached_tokens=cached,
            cost=price.cost(prompt, cached, completed) if price else None,
            seconds=seconds,
        )


def _split(base_url: str) -> SplitResult:
    parts = urlsplit(base_url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(
            f"{base_url!r} is not an address.", hint="It looks like http://HOST:PORT/v1, with http or https."
        )
    return parts
