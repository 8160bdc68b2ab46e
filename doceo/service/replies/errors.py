"""Errors in OpenAI's form, and which of them any route can answer with."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


class ErrorTold(BaseModel):
    """What is wrong: for people in `message`, for programs in `code`; `param` is the field that is at fault."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorReply(BaseModel):
    """The body of every response that is no success."""

    error: ErrorTold


_BODY = {"application/json": {"schema": {"$ref": f"#/components/schemas/{ErrorReply.__name__}"}}}
_REASONS = {
    400: "The request is not one that can be done; `param` names the field.",
    401: "The key is missing, wrong, revoked or has expired.",
    403: "The key, or whoever asks without one, may not do that.",
    404: "There is no such object, or it is another owner's.",
    408: "The body of the request came too slowly.",
    413: "The body of the request, or what its owner keeps, is too large.",
    429: "Too many requests or questions, or the tokens of the day are used; see Retry-After.",
    503: "Something that is needed cannot be reached just now; see Retry-After.",
    507: "The disk is full, or the database cannot be written.",
}
REFUSED: dict[int | str, dict[str, Any]] = {
    **{status: {"description": words, "content": _BODY} for status, words in _REASONS.items()},
    # it also keeps FastAPI from describing a 422 of its own form, which is never sent
    "default": {"description": "Anything else that went wrong.", "model": ErrorReply},
}
"""What any route behind the gate can answer instead of what was asked for."""
