"""What stands in the body of a chat completion, of which any part may be missing."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

from doceo.core.errors import ReplyInvalid, ServerFailed
from doceo.core.records import ChatReply, ChatRequest, Usage
from doceo.providers.prices import Price
from doceo.text.surrogates import without_surrogates
from doceo.text.thinking import WithoutThinking, without_thinking


class Answering(Protocol):
    """Who answered, as messages name it."""

    @property
    def address(self) -> str:
        """The address, or what else the user knows it by."""
        ...

    def no_completion(self, body: object) -> ServerFailed:
        """Return the error for a body that is no chat completion."""
        ...


@dataclass(frozen=True)
class Reader:
    """Reads the replies of one model.

    Attributes:
        name: The model as the user named it.
        server: Who answers.
        price: The model's price; None where it is not known.
    """

    name: str
    server: Answering
    price: Price | None

    def text(self, body: object, request: ChatRequest) -> tuple[str, str]:
        """Return a reply's text, without the reasoning before it, and its finish: `stop`, `length` or `content_filter`.

        Raises:
            ServerFailed: The body is no chat completion.
            ReplyInvalid: The reply has no text.
        """
        choices = _field(body, "choices")
        if not isinstance(choices, list) or not choices:
            raise self.server.no_completion(body)
        finish, message = _field(choices[0], "finish_reason"), _field(choices[0], "message")
        content, refusal = _field(message, "content"), _field(message, "refusal")
        text = without_surrogates(without_thinking(content)) if isinstance(content, str) else ""
        if text.strip():
            return text, _finish(finish)
        raise self._empty(finish, refusal, request)

    async def stream(
        self, parts: AsyncGenerator[str | Mapping[str, object], None], clock: Callable[[], float]
    ) -> AsyncGenerator[str | ChatReply, None]:
        """Yield a reply that comes piece by piece, without the reasoning before it, and then the whole of it.

        Args:
            parts: The text; behind it, what else is told: `finish_reason` and `usage`, as in a chat completion.
            clock: Seconds that only grow.
        """
        start, thinking = clock(), WithoutThinking()
        said: list[str] = []
        told: Mapping[str, object] = {}
        async with aclosing(parts):
            async for part in parts:
                if not isinstance(part, str):
                    told = part
                elif rest := thinking.add(without_surrogates(part)):
                    said.append(rest)
                    yield rest
        if rest := thinking.end():
            said.append(rest)
            yield rest
        finish, usage = _finish(told.get("finish_reason")), self.usage(told, clock() - start)
        yield ChatReply(text="".join(said), finish=finish, usage=usage)

    def usage(self, body: object, seconds: float) -> Usage:
        """Return what a reply took."""
        used = _field(body, "usage")
        prompt, completed = _number(used, "prompt_tokens"), _number(used, "completion_tokens")
        if not prompt and not completed:
            return Usage(seconds=seconds)
        cached = _number(_field(used, "prompt_tokens_details"), "cached_tokens")
        cost = self.price.cost(prompt, cached, completed) if self.price else None
        return Usage(
            prompt_tokens=prompt, completion_tokens=completed, cached_tokens=cached, cost=cost, seconds=seconds
        )

    def _empty(self, finish: object, refusal: object, request: ChatRequest) -> ReplyInvalid:
        who = f"{self.name} at {self.server.address}"
        if finish == "length":
            return ReplyInvalid(
                f"{who} used all {request.max_tokens} tokens before it wrote an answer.",
                hint="Allow more tokens, or take a model that thinks less.",
            )
        if finish == "content_filter" or refusal:
            return ReplyInvalid(
                f"{who} withheld its reply: {str(refusal or 'content filter')[:300]}",
                hint="The server's content filter decides this; leave that passage out, or take another model.",
            )
        return ReplyInvalid(f"{who} sent an empty reply.", hint="Try again, or take another model.")


def take_chunk(chunk: object, told: dict[str, object]) -> str:
    """Return the text of a part of a stream; what it tells of the whole, finish and usage, goes into `told`.

    The usage stands in a part of its own behind the text, or in every one, each with the sum so far.
    """
    if used := _field(chunk, "usage"):
        told["usage"] = used
    choices = _field(chunk, "choices")
    if not isinstance(choices, list) or not choices:
        return ""
    if finish := _field(choices[0], "finish_reason"):
        told["finish_reason"] = finish
    content = _field(_field(choices[0], "delta"), "content")
    return content if isinstance(content, str) else ""


def _finish(said: object) -> str:
    return str(said) if said in ("length", "content_filter") else "stop"


def _field(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, dict) else None


def _number(value: object, name: str) -> int:
    number = _field(value, name)
    return max(0, number) if isinstance(number, int) else 0
