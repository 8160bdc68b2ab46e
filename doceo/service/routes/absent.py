"""What OpenAI has and Doceo has not: it is said so in OpenAI's form, instead of a bare 404."""

from __future__ import annotations

import json
import re
from functools import cache
from importlib.resources import files
from typing import Annotated

from fastapi import APIRouter, Depends, Request

from doceo.core.access import Caller
from doceo.service.access import Needs
from doceo.service.refusals import Refusal

router = APIRouter(prefix="/v1", include_in_schema=False)

PATHS = "openai_paths.json"
"""OpenAI's paths and methods that have no route here, from its published API description: {path: [methods]}."""
_INSTEAD = {
    "responses": "Ask /v1/chat/completions; a conversation is kept with its field `conversation`.",
    "completions": "Ask /v1/chat/completions.",
    "chat": "Answers are kept in conversations: /v1/conversations.",
    "assistants": "Documents are answered from by a model's id NAME+COLLECTION at /v1/chat/completions.",
    "threads": "Conversations are kept at /v1/conversations.",
    "uploads": "Files are uploaded whole at /v1/files.",
    "evals": "Models are evaluated by jobs at /v1/evaluation/jobs.",
    "organization": "Keys are made on the server: doceo keys create",
    "projects": "Keys are made on the server: doceo keys create",
    "fine_tuning": "A tuned model is its owner's alone.",
}
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@router.api_route("/{rest:path}", methods=_METHODS)
async def absent(
    rest: str, request: Request, caller: Annotated[Caller, Depends(Needs("chat", "ingest", "train"))]
) -> None:
    """Say that there is no such thing here: 501 for what OpenAI has, else 404."""
    if is_openais(request.method, f"/{rest}"):
        instead = _INSTEAD.get(rest.partition("/")[0], "")
        message = f"Doceo has no {request.method} /v1/{rest[:200]}. {instead}".rstrip()
        raise Refusal(501, message, code="not_implemented")
    raise Refusal(404, f"There is nothing at {request.method} /v1/{rest[:200]}.", code="not_found")


def is_openais(method: str, path: str) -> bool:
    """Return whether OpenAI has a path, below /v1, that Doceo has not."""
    return any(method in methods and pattern.fullmatch(path) for pattern, methods in _known())


@cache
def _known() -> list[tuple[re.Pattern[str], frozenset[str]]]:
    text = files("doceo.service").joinpath(PATHS).read_text(encoding="utf-8")
    listed: dict[str, list[str]] = json.loads(text)
    return [(_pattern(path), frozenset(methods)) for path, methods in listed.items()]


def _pattern(path: str) -> re.Pattern[str]:
    parts = ("[^/]+" if part.startswith("{") else re.escape(part) for part in path.split("/"))
    return re.compile("/".join(parts))
