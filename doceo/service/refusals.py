"""Errors in OpenAI's form."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

NO_RETRY = "x-should-retry"
"""Header by which OpenAI's clients are told, with `false`, not to ask again: they do so after any error of a server."""


class Refusal(HTTPException):
    """A request that is turned away, in OpenAI's words.

    Args:
        status: HTTP status.
        message: What is wrong and what to do about it, for people.
        code: What is wrong, for programs.
        param: Field of the request that is at fault.
        kind: OpenAI's type of the error.
        headers: Headers of the response.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        kind: str = "invalid_request_error",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(status, message, dict(headers or {}))
        self.code, self.param, self.kind = code, param, kind

    def response(self) -> JSONResponse:
        """Return it as a response."""
        body = error_body(self.detail, self.kind, self.code, self.param)
        headers = dict(self.headers or {})
        if self.status_code == 501:
            headers[NO_RETRY] = "false"
        return JSONResponse(body, self.status_code, headers)


def error_body(message: str, kind: str, code: str | None, param: str | None = None) -> dict[str, object]:
    """Return an error in OpenAI's form."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}
