"""Chat models of any vendor that LangChain knows: `langchain:VENDOR:MODEL`, through `init_chat_model`.

LangChain neither retries, caches, limits nor reports here: what stands around a provider does, and LangSmith hears of
nothing unless it is asked for. Errors become ours in `langchain_errors.py`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from doceo.core.errors import UsageError
from doceo.core.records import ChatReply, ChatRequest
from doceo.providers.blocking import on_background
from doceo.providers.langchain_asking import LIMITS, Manner
from doceo.providers.langchain_errors import Vendor, status_of
from doceo.providers.langchain_reply import Told, as_completion
from doceo.providers.langchain_vendor import field_of, host_of, open_model, parse_spec, secrets_of
from doceo.providers.openai_reply import Reader
from doceo.providers.prices import price_of
from doceo.providers.tracing import langsmith_host, reporting, wait_for_reports

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.runnables import Runnable, RunnableConfig


class LangChainChat:
    """A LangChain chat model as a provider.

    Requests run on the process's own event loop, whichever loop they are made from: vendors' packages share their
    connections between models, and a connection belongs to the loop that it was opened in. Streams run where they are
    asked for.

    Args:
        chat: LangChain's model, without retries of its own.
        model: The model's name at the vendor.
        vendor: The vendor, as LangChain names it.
        timeout: Seconds that one reply may take.
        prices: A price file of the user's own.
        langsmith: Report requests and replies to LangSmith.
        clock: Seconds that only grow, to time replies.
        wall: Seconds since 1970, to read a `Retry-After` that is a date.

    Attributes:
        host: The hosts that receive the text: the vendor's, and LangSmith's where it is reported to.
        address: The vendor's host alone.
        price: What the model costs; None where that is not known.

    Raises:
        ConfigError: The price file is wrong.
    """

    def __init__(
        self,
        chat: BaseChatModel,
        model: str,
        vendor: str,
        *,
        timeout: float = 600.0,
        prices: Path | None = None,
        langsmith: bool = False,
        clock: Callable[[], float] = time.perf_counter,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.name, self.model = f"langchain:{vendor}:{model}", model
        self.address = host_of(chat, vendor)
        self.host = f"{self.address}, {langsmith_host()}" if langsmith else self.address
        self.price = price_of(self.address, model, prices)
        self._chat, self._timeout, self._langsmith, self._clock = chat, timeout, langsmith, clock
        self._vendor = Vendor(
            self.address, model, vendor, secrets_of(chat), next(iter(chat.lc_secrets.values()), ""), wall
        )
        self._reader = Reader(self.name, self._vendor, self.price)
        self._manner = Manner.of(chat)
        # what a program around this one listens to is not told either: its callbacks would be inherited
        self._config: RunnableConfig = {} if langsmith else {"callbacks": []}

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer a request; reasoning before the answer is left out.

        Raises:
            ProviderError: As mapped in `langchain_errors.py`; ReplyInvalid where the reply has no text.
        """
        return await on_background(self._complete(request))

    def stream(self, request: ChatRequest) -> AsyncGenerator[str | ChatReply, None]:
        """Yield the reply piece by piece, without the reasoning before it, then the whole; forms are not asked for.

        Raises as above.
        """
        return self._reader.stream(self._parts(request.model_copy(update={"form": None})), self._clock)

    async def aclose(self) -> None:
        """Wait for reports to LangSmith; connections belong to the vendor's package, which shares them."""
        if self._langsmith:
            await asyncio.to_thread(wait_for_reports)

    async def _complete(self, request: ChatRequest) -> ChatReply:
        start = self._clock()
        with self._vendor.errors(), reporting(self._langsmith):
            async with asyncio.timeout(self._timeout):
                body = await self._ask(request)
        text, finish = self._reader.text(body, request)
        return ChatReply(text=text, finish=finish, usage=self._reader.usage(body, self._clock() - start))

    async def _ask(self, request: ChatRequest) -> object:
        """Send a request, each time in the next weaker manner while the vendor names a part that it refuses."""
        while True:
            manner, asked = self._put(request)
            try:
                found = await asked.ainvoke(_messages(request), config=self._config)
                formed = isinstance(found, dict)
                return as_completion(found["raw"] if formed else found, formed=formed)
            except Exception as error:
                # every vendor's package has an exception tree of its own
                if (whole := getattr(error, "completion", None)) is not None:  # OpenAI's, where a form was cut short
                    return whole.model_dump()
                if self._learned(manner, error, request):
                    continue
                raise

    def _put(self, request: ChatRequest) -> tuple[Manner, Runnable[Any, Any]]:
        """Return how a request is put, and what to invoke: in the strongest form that the class has."""
        while True:
            manner = self._manner
            try:
                return manner, manner.put(self._chat, request)
            except (NotImplementedError, ValueError, TypeError):
                weaker = manner.weaker()
                if weaker is None:
                    raise
                self._manner = weaker

    def _learned(self, manner: Manner, error: Exception, request: ChatRequest) -> bool:
        """Take a weaker manner after a refusal; say whether there is one."""
        weaker = manner.after(str(error), request) if status_of(error) in {400, 422} else None
        # another request may have learned the same in the meantime; then its manner is tried
        if weaker is not None and self._manner == manner:
            self._manner = weaker
        return weaker is not None

    async def _parts(self, request: ChatRequest) -> AsyncGenerator[str | dict[str, object], None]:
        """Yield the text as it comes, and at the end what the vendor says of it: finish and usage."""
        told, given = Told(), False
        async with aclosing(self._pieces(request, told)) as pieces:
            async for piece in pieces:
                given = given or bool(piece)
                yield piece
        if not (given or told.anything):
            raise self._vendor.no_completion("")
        yield told.ending()

    async def _pieces(self, request: ChatRequest, told: Told) -> AsyncGenerator[str, None]:
        with self._vendor.errors():
            given = False
            while True:
                manner, asked = self._put(request)
                chunks: Any = asked.astream(_messages(request), config=self._config)
                try:
                    async with aclosing(chunks):
                        while (chunk := await self._next(chunks)) is not None:
                            given = True
                            told.add(chunk)
                            yield str(chunk.text)
                    return
                except Exception as error:
                    # every vendor's package has an exception tree of its own
                    if not given and self._learned(manner, error, request):
                        continue
                    raise

    async def _next(self, chunks: Any) -> Any:  # noqa: ANN401 - messages of LangChain, whose types are imported late
        """Return the next chunk of a stream, None at its end."""
        with reporting(self._langsmith):
            return await anext(chunks, None)


def open_langchain(
    spec: str, base_url: str | None, timeout: float, prices: Path | None, *, langsmith: bool, capped: bool
) -> LangChainChat:
    """Open `langchain:VENDOR:MODEL`. Nothing is sent yet.

    Args:
        spec: The model.
        base_url: The address of vendor `openai`; the others have variables of their own.
        timeout: Seconds that one reply may take.
        prices: A price file of the user's own.
        langsmith: Report requests and replies to LangSmith.
        capped: Whether a cost cap is to be kept.

    Raises:
        UsageError: There is no such vendor, or its class cannot limit a reply and there is a cost cap.
        MissingPackage: LangChain's package for the vendor is not installed.
        AuthenticationFailed: There is no key.
        ProviderError: The vendor's class cannot be made.
        ConfigError: The price file is wrong.
    """
    vendor, model = parse_spec(spec)
    chat = open_model(vendor, model, timeout=timeout, base_url=base_url if vendor == "openai" else None)
    if capped and field_of(type(chat), LIMITS) is None:
        raise UsageError(
            f"{vendor} takes no limit on the tokens of a reply, so that a cost cap cannot be kept.",
            hint="Leave out --max-cost, or take another vendor.",
        )
    return LangChainChat(chat, model, vendor, timeout=timeout, prices=prices, langsmith=langsmith)


def _messages(request: ChatRequest) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in request.messages]
