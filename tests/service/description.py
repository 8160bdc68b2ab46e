"""Compares what a service answers with what its `/openapi.json` says: every field, and no other."""

from __future__ import annotations

import json
import re
from typing import Any

from fastapi import FastAPI
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from starlette.datastructures import Headers

_ROOT = "urn:description"


class Description:
    """The description of a service.

    Args:
        document: What `/openapi.json` says; fields that it does not name are forbidden in it.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self._paths: dict[str, Any] = _closed(document)["paths"]
        self._registry = Registry().with_resource(_ROOT, Resource.from_contents(document, DRAFT202012))
        self._patterns = {path: _pattern(path) for path in self._paths}
        self._validators: dict[tuple[str, str, str], Draft202012Validator] = {}

    def wrong(self, method: str, path: str, status: int, kind: str, body: bytes) -> str:
        """Say what of an answer is not as it is described; nothing where all is, or where the path is not described."""
        fits = (name for name, pattern in self._patterns.items() if pattern.fullmatch(path))
        place = next((name for name in fits if method.lower() in self._paths[name]), "")
        if not place:
            return ""
        answers, told = self._paths[place][method.lower()]["responses"], f"{method} {place}: {status} {body[:1000]!r}"
        # what is wrong with a request is described by its status, what is wrong with the server need not be
        if str(status) not in answers and status < 500:
            return f"not described: {told}"
        key, kind = str(status) if str(status) in answers else "default", kind.partition(";")[0]
        if kind not in answers[key]["content"]:
            return f"described as {[*answers[key]['content']]}, not as {kind}: {told}"
        if kind != "application/json":
            return ""
        errors = [*self._validator(method.lower(), place, key).iter_errors(json.loads(body))]
        return f"{[f'{one.json_path}: {one.message[:300]}' for one in errors]}: {told}" if errors else ""

    def _validator(self, method: str, place: str, status: str) -> Draft202012Validator:
        key = (method, place, status)
        if key not in self._validators:
            schema = self._paths[place][method]["responses"][status]["content"]["application/json"]["schema"]
            self._validators[key] = Draft202012Validator(_at_root(schema), registry=self._registry)
        return self._validators[key]


class Checked:
    """An ASGI application whose answers are compared with its description; `wrong` says which do not fit."""

    def __init__(self, app: FastAPI) -> None:
        self._app, self._description = app, described(app)
        self.wrong: list[str] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        status, kind, body = 0, "", b""

        async def seen(message: Any) -> None:
            nonlocal status, kind, body
            if message["type"] == "http.response.start":
                status, kind = message["status"], Headers(raw=message["headers"]).get("content-type", "")
            elif message["type"] == "http.response.body" and kind == "application/json":
                body += message.get("body", b"")
            await send(message)

        await self._app(scope, receive, seen)
        # 499: nobody is there to read it
        if scope["type"] == "http" and status not in (0, 499):
            found = self._description.wrong(scope["method"], scope["path"], status, kind, body)
            self.wrong += [found] if found else []


def described(app: FastAPI) -> Description:
    """Return the description of an application, made once for all: they differ by what tests add only."""
    if not _MADE:
        _MADE.append(Description(json.loads(json.dumps(app.openapi()))))
    return _MADE[0]


_MADE: list[Description] = []


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[^}]*\})", path)
    # the name of a model is the only one that can hold a slash
    return re.compile("".join((".+" if p == "{name}" else "[^/]+") if p[:1] == "{" else re.escape(p) for p in parts))


def _closed(value: Any) -> Any:
    """Forbid, in place, the fields that are not described of every object of which some are; return it."""
    if isinstance(value, dict):
        if "properties" in value and value.get("type") == "object":
            value.setdefault("additionalProperties", False)
        for one in value.values():
            _closed(one)
    elif isinstance(value, list):
        for one in value:
            _closed(one)
    return value


def _at_root(value: Any) -> Any:
    """Return a schema whose references name the whole description."""
    if isinstance(value, dict):
        return {key: f"{_ROOT}{one}" if key == "$ref" else _at_root(one) for key, one in value.items()}
    return [_at_root(one) for one in value] if isinstance(value, list) else value
