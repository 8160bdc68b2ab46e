"""Doceo's errors as clients see them: a status, and words that say no more of what is inside than they may know."""

from __future__ import annotations

import logging
import math
from typing import NamedTuple

from fastapi import Request
from fastapi.responses import JSONResponse

from doceo.core.errors import (
    CostCapReached,
    DoceoError,
    IndexUnusable,
    InputError,
    JobHeld,
    MissingExtra,
    ModelBusy,
    ModelNotFound,
    NotFound,
    ProviderError,
    RateLimited,
    RequestRejected,
    RunLocked,
    StorageError,
    UsageError,
)
from doceo.service.refusals import NO_RETRY, error_body

_log = logging.getLogger("doceo.service")

_OWN = ""
"""Words of an error that says of itself nothing but what its client sent or owns."""
_SET_UP = "The service is not set up for this."
_OUTCOMES: dict[type[DoceoError], tuple[int, str]] = {
    NotFound: (404, _OWN),
    InputError: (400, _OWN),
    JobHeld: (409, _OWN),
    RunLocked: (409, "Something else is being written there. Try again later."),
    StorageError: (507, "Nothing can be stored just now."),
    IndexUnusable: (503, "The index of these documents cannot be used."),
    RequestRejected: (400, _OWN),
    ModelNotFound: (404, "The model is not where the service asks for it."),
    ModelBusy: (429, _OWN),
    RateLimited: (429, "The model takes no more requests just now. Try again later."),
    CostCapReached: (503, "No more may be spent on this model."),
    ProviderError: (502, "The model does not answer as it should. Try again later."),
    MissingExtra: (503, _SET_UP),
    UsageError: (503, _SET_UP),
}
"""Status and words of each kind of error, the nearer kind before the wider one."""
_HELD = (503, "The database cannot be used just now. Try again.")
_UNFORESEEN = (500, "Something went wrong.")


class Failure(NamedTuple):
    """An error as it is answered: as a response of its own, or in the middle of a stream."""

    status: int
    body: dict[str, object]
    headers: dict[str, str]

    def response(self) -> JSONResponse:
        """Return it as a response."""
        return JSONResponse(self.body, self.status, self.headers)


def failure(request: Request, error: DoceoError) -> Failure:
    """Return how an error is answered.

    Without keys, whoever asks runs the service and is told everything. Others are not told of folders, of addresses
    and of how the service is set up: the log has that, with the id of their request.
    """
    status, words = _outcome(error)
    message = f"{error.message} {error.hint}"
    if words != _OWN:
        name = request.state.request_id
        _log.warning("%s: %s", name, message, extra={"fields": {"request_id": name}})
        if not _runs_the_service(request):
            message = f"{words} The log of the service says more of {name}."
    kind = "invalid_request_error" if status < 500 else "server_error"
    return Failure(status, error_body(message, kind, error.code), _headers(error, status))


def _outcome(error: DoceoError) -> tuple[int, str]:
    if isinstance(error, StorageError) and error.retryable:
        return _HELD
    if isinstance(error, RequestRejected) and error.said:
        return 400, f"The model's server will not take this request: {error.said}."
    return next((found for kind, found in _OUTCOMES.items() if isinstance(error, kind)), _UNFORESEEN)


def _runs_the_service(request: Request) -> bool:
    caller = getattr(request.state, "caller", None)
    return caller is not None and not caller.key


def _headers(error: DoceoError, status: int) -> dict[str, str]:
    if isinstance(error, StorageError) and not error.retryable:
        # the client tries again by itself what the status of a server's error says
        return {NO_RETRY: "false"}
    wait = error.retry_after if isinstance(error, ProviderError) else None
    if wait is None and (status == 429 or isinstance(error, StorageError)):
        wait = 1.0
    return {} if wait is None else {"Retry-After": str(max(1, math.ceil(wait)))}
