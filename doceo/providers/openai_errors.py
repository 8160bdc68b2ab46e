"""The `openai` client's errors as ours: this file maps them and no other does.

Every message names the address; every hint says what to do about it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import aiohttp
import openai

from doceo.core.errors import (
    AuthenticationFailed,
    ModelNotFound,
    ProviderError,
    RateLimited,
    RequestRejected,
    ServerFailed,
    Unreachable,
)
from doceo.providers.retry_after import seconds_of

_LONGEST = 300
_LATER = "Try again later; else look at the server's log."


@dataclass(frozen=True)
class Server:
    """Who was asked for what, as messages name it.

    Attributes:
        address: The base address, without a password.
        model: The model's name at the server.
        kind: The sort of server as the user named it.
        key: The key, which no message may show.
        wall: Seconds since 1970.
    """

    address: str
    model: str
    kind: str
    key: str | None = None
    wall: Callable[[], float] = time.time

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn the client's errors, raised in the block, into ours. Raises ProviderError."""
        try:
            yield
        except (openai.APIConnectionError, aiohttp.ClientError, TimeoutError) as error:
            raise self._of_connection(error) from error
        except openai.APIStatusError as error:
            raise self._of_status(error) from error
        except (ValueError, RecursionError) as error:
            cause = error.msg if isinstance(error, json.JSONDecodeError) else type(error).__name__
            raise ServerFailed(f"{self.address} answered with broken JSON ({cause}).", hint=_LATER) from error
        except openai.APIError as error:
            cause = self._shown(error.message)
            raise ServerFailed(f"{self.address} failed in the middle of its reply: {cause}.", hint=_LATER) from error

    def no_completion(self, body: object) -> ServerFailed:
        """Return the error for a body of status 200 that is no chat completion; some servers put an error there."""
        error = body.get("error") if isinstance(body, dict) else None
        what = f": {self._shown(json.dumps(error, default=str))}" if error else ", but with something else"
        return ServerFailed(
            f"{self.address} did not answer with a chat completion{what}.",
            hint="Check that the address is that of an OpenAI-compatible server and ends in /v1.",
        )

    def _of_connection(self, error: Exception) -> Unreachable:
        # The client calls a lost connection a timeout as well: only what it was caused by tells them apart.
        chain: list[BaseException] = [error]
        while (cause := chain[-1].__cause__) is not None:
            chain.append(cause)
        if any(isinstance(link, TimeoutError) for link in chain):
            hint = f"Check that the server is up and not too busy. {self._start()}"
            return Unreachable(f"{self.address} did not answer in time.", hint=hint)
        hint = f"Check the address and that the server is up. {self._start()}"
        return Unreachable(f"{self.address} cannot be reached: {self._shown(str(chain[-1]) or str(error))}.", hint=hint)

    def _of_status(self, error: openai.APIStatusError) -> ProviderError:
        status, wait = error.status_code, seconds_of(error.response.headers.get("retry-after", ""), self.wall())
        where = f"{self.address} answered {status} for {self.model}: {self._shown(said(error))}."
        if status in {401, 403}:
            own = self.kind == "openai"
            hint = (
                "Check the key in OPENAI_API_KEY." if own else "This server wants a key: openai:MODEL with --base-url."
            )
            return AuthenticationFailed(where, hint=hint)
        if status == 404:
            pull = f" Fetch it with: ollama pull {self.model}" if self.kind == "ollama" else ""
            return ModelNotFound(where, hint=f"Check the model's name, and that the address ends in /v1.{pull}")
        if status == 429 and error.code == "insufficient_quota":
            return RateLimited(where, hint="The account has no credit left; add some.", retryable=False)
        if status == 429:
            return RateLimited(where, hint="Wait, or ask less at a time with --concurrency.", retry_after=wait)
        if status in {408, 409, 425} or status >= 500:
            return ServerFailed(where, hint=_LATER, retry_after=wait)
        if 300 <= status < 400:
            target = error.response.headers.get("location", "another address")
            hint = f"It has moved to {target}; name that with --base-url."
            return RequestRejected(where, hint=hint, said="it has moved")
        hint = "The server will not take this request as it is; its message says why."
        return RequestRejected(where, hint=hint, said=self._shown(said(error)))

    def _shown(self, text: str) -> str:
        hidden = text.replace(self.key, "***") if self.key else text
        return " ".join(hidden.split()).rstrip(".")[:_LONGEST]

    def _start(self) -> str:
        starts = {
            "ollama": "Start it with: ollama serve",
            "lmstudio": "Start its server in LM Studio's developer tab.",
            "vllm": f"Start it with: vllm serve {self.model}",
        }
        return starts.get(self.kind, "Another address is given with --base-url.")


def said(error: openai.APIStatusError) -> str:
    """Return what the server said: its message and parameter, or the body as it is."""
    body = error.body
    if isinstance(body, dict):
        message = body.get("message") or body.get("detail") or body
        return " ".join(str(part) for part in (message, body.get("param")) if part)
    return str(body or error.message)
