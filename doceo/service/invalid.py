"""What is wrong with a request that has not the form of its route, and where in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError

from doceo.service.refusals import Refusal
from doceo.text.surrogates import without_surrogates

_BODY = "body"
_JSON = "send an object with Content-Type: application/json"


def invalid(error: RequestValidationError) -> Refusal:
    """Return the refusal (400) of a request, which names its first fault by the place where it is."""
    faults = error.errors()
    if faults[0]["type"] == "json_invalid":
        return _refusal(f"The body is not JSON (character {faults[0]['loc'][-1]}); {_JSON}.")
    places = [_place(fault, error.body) for fault in faults]
    # what may have several forms has faults of each: the one deepest in the request is of the form that was meant
    within = [n for n, place in enumerate(places) if place[: len(places[0])] == places[0]]
    deepest = max(within, key=lambda n: len(places[n]))
    place = without_surrogates(_written(places[deepest]))
    if not place:
        return _refusal(f"The body has to be a JSON object: {_JSON}.")
    return _refusal(f"{place}: {without_surrogates(_words(faults[deepest], places[deepest]))}", place)


def _place(fault: dict[str, Any], body: object) -> list[str | int]:
    """Return where a fault is. Names of forms, which pydantic puts between, are no part of the request."""
    first, *rest = fault["loc"]
    if first != _BODY:
        return [*rest]  # a parameter goes by its name alone, wherever it stands
    place: list[str | int] = []
    for n, part in enumerate(rest):
        missing = fault["type"] == "missing" and n == len(rest) - 1
        if isinstance(body, dict) and (part in body or missing):
            body = body.get(part)
        elif isinstance(body, list) and isinstance(part, int) and part < len(body):
            body = body[part]
        else:
            continue
        place.append(part)
    return place


def _written(place: Sequence[str | int]) -> str:
    """Return a place as OpenAI writes it, such as `messages[0].content`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place).removeprefix(".")


def _words(fault: dict[str, Any], place: Sequence[str | int]) -> str:
    """Return what is wrong; of a piece of a message, which kind of it cannot be read."""
    if "content" in place:
        if fault["type"] == "union_tag_invalid":
            return f"{str(fault['ctx']['tag'])[:40]} is not read here; only text is"
        if fault["type"] == "literal_error" and place[-1] == "type":
            return f"{str(fault['input'])[:40]} is not read here; only text is"
    return str(fault["msg"])


def _refusal(message: str, param: str | None = None) -> Refusal:
    return Refusal(400, message, code="invalid_value", param=param)
