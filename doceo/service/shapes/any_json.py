"""JSON of any form, such as a schema, that is handed on: it has to be such that every parser takes it."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import AfterValidator

_DEEPEST = 64
"""Levels of lists and objects within one another; encoders go down by recursion, which ends somewhere."""


def _checked(value: dict[str, Any]) -> dict[str, Any]:
    level: list[Any] = [value]
    for _ in range(_DEEPEST):
        if any(isinstance(one, float) and not math.isfinite(one) for one in level):
            raise ValueError("JSON has no NaN and no infinity")
        level = [inner for one in level for inner in _within(one)]
        if not level:
            return value
    raise ValueError(f"there are more than {_DEEPEST} levels within one another")


def _within(value: object) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []


AnyObject = Annotated[dict[str, Any], AfterValidator(_checked)]
"""An object of finite numbers that is not nested deeply."""
