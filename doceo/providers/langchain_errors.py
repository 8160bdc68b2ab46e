"""What goes wrong at a vendor, through LangChain and the vendor's own package, as our errors: here and nowhere else.

LangChain's own error classes, where a vendor's package raises them, say what happened by their name; other packages
are read by the HTTP status that their exceptions carry, wherever in the chain of causes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from doceo.core.errors import (
    AuthenticationFailed,
    DoceoError,
    ModelNotFound,
    ProviderError,
    RateLimited,
    RequestRejected,
    ServerFailed,
    Unreachable,
)
from doceo.providers.langchain_vendor import key_missing
from doceo.providers.retry_after import seconds_of

_STATUS = {
    "ModelAuthenticationError": 401,
    "ModelPermissionDeniedError": 403,
    "ModelNotFoundError": 404,
    "ContextOverflowError": 400,
    "ModelInvalidRequestError": 400,
    "ModelRateLimitError": 429,
    "ModelAPIError": 500,
}
"""The HTTP status that LangChain's error classes stand for."""
_TIMEOUTS = ("Timeout",)
_CONNECTIONS = ("Connection", "ConnectError", "TransportError", "ClientOSError", "gaierror")
_LONGEST = 300
_LATER = "Try again later; else look at the vendor's status page or the server's log."


@dataclass(frozen=True)
class Vendor:
    """Who was asked for what, as messages name it.

    Attributes:
        address: The host.
        model: The model's name there.
        vendor: As LangChain names it.
        secrets: Keys, which no message may show.
        variable: The variable that holds the key, where it is known.
        wall: Seconds since 1970.
    """

    address: str
    model: str
    vendor: str
    secrets: tuple[str, ...] = ()
    variable: str = ""
    wall: Callable[[], float] = time.time

    @contextmanager
    def errors(self) -> Iterator[None]:
        """Turn what a vendor's package raises in the block into ours. Raises ProviderError."""
        try:
            yield
        except DoceoError:
            raise
        except Exception as error:
            # every vendor's package has an exception tree of its own
            if not isinstance(error, AssertionError | NameError | MemoryError):
                raise self._ours(error) from error
            raise

    def no_completion(self, body: object) -> ServerFailed:
        """Return the error for a reply that holds nothing."""
        said = self.shown(str(body))
        return ServerFailed(f"{self.address} did not answer {self.model} with a message: {said}.", hint=_LATER)

    def _ours(self, error: Exception) -> ProviderError:
        status = status_of(error)
        if status is not None:
            return self._of_status(status, error)
        names = {kind.__name__ for link in _chain(error) for kind in type(link).__mro__}
        if any(word in name for name in names for word in _TIMEOUTS):
            return Unreachable(f"{self.address} did not answer in time.", hint=_LATER)
        if any(word in name for name in names for word in _CONNECTIONS):
            last = list(_chain(error))[-1]
            said = self.shown(str(last) or str(error) or type(last).__name__)
            return Unreachable(
                f"{self.address} cannot be reached: {said}.", hint="Check the address and that the server is up."
            )
        if isinstance(error, json.JSONDecodeError):
            return ServerFailed(f"{self.address} answered with broken JSON ({error.msg}).", hint=_LATER)
        if error.args and isinstance(error.args[0], dict):  # what a server says with status 200, as OpenAI's kin do
            return self.no_completion(error.args[0])
        if missing := key_missing(str(error), self.vendor):
            return missing
        said = self.shown(f"{type(error).__name__}: {error}")
        return ProviderError(
            f"langchain:{self.vendor}:{self.model} failed: {said}.",
            hint=f"The package of {self.vendor} says this; another version of it, or another model, may not.",
        )

    def _of_status(self, status: int, error: Exception) -> ProviderError:
        where = f"{self.address} answered {status} for {self.model}: {self.shown(str(error))}."
        if status in {401, 403}:
            return AuthenticationFailed(
                where, hint=f"Check the key in {self.variable or 'the variable of its vendor'}."
            )
        if status == 404:
            return ModelNotFound(where, hint="Check the model's name.")
        if status == 429 and _is_out_of_credit(error):
            return RateLimited(where, hint="The account has no credit left; add some.", retryable=False)
        if status == 429:
            wait = _wait(error, self.wall())
            return RateLimited(where, hint="Wait, or ask less at a time with --concurrency.", retry_after=wait)
        if status in {408, 409, 425} or status >= 500:
            return ServerFailed(where, hint=_LATER, retry_after=_wait(error, self.wall()))
        hint = "The server will not take this request as it is; its message says why."
        return RequestRejected(where, hint=hint, said=self.shown(str(error)))

    def shown(self, text: str) -> str:
        """Return a text as a message shows it: on one line, short, without a key."""
        for key in self.secrets:
            text = text.replace(key, "***")
        return " ".join(text.split()).rstrip(".")[:_LONGEST]


def status_of(error: BaseException) -> int | None:
    """Return the HTTP status that an exception, or what it was caused by, carries or stands for; None where none."""
    for link in _chain(error):
        for value in _statuses(link):
            if isinstance(value, int) and 300 <= value < 600:
                return int(value)
        for kind in type(link).__mro__:
            if kind.__name__ in _STATUS:
                return _STATUS[kind.__name__]
    return None


def _statuses(error: BaseException) -> Iterator[object]:
    """Yield what may be a status: of httpx and OpenAI's kin, of Google's packages, of boto."""
    response = getattr(error, "response", None)
    yield getattr(error, "status_code", None)
    yield getattr(response, "status_code", None)
    yield getattr(error, "http_status", None)
    yield getattr(error, "code", None)
    facts = response.get("ResponseMetadata") if isinstance(response, dict) else None
    yield facts.get("HTTPStatusCode") if isinstance(facts, dict) else None


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and what it was caused by."""
    link: BaseException | None = error
    seen: set[int] = set()
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)


def _wait(error: BaseException, now: float) -> float | None:
    for link in _chain(error):
        headers = getattr(getattr(link, "response", None), "headers", None)
        if headers is not None and (value := headers.get("retry-after")):
            return seconds_of(str(value), now)
    return None


def _is_out_of_credit(error: BaseException) -> bool:
    return any(getattr(link, "code", None) == "insufficient_quota" for link in _chain(error))
