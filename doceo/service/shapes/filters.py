"""Conditions on the attributes of files, in OpenAI's form."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StrictBool

from doceo.service.shapes.metadata import Number

Plain = StrictBool | Number | str
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


class Comparison(BaseModel):
    """A condition on one attribute. A file without it fulfils `ne` and `nin` only."""

    type: Literal["eq", "ne", "gt", "gte", "lt", "lte", "in", "nin"]
    key: str
    value: Plain | list[Plain]

    def holds(self, attributes: Mapping[str, Plain]) -> bool:
        """Say whether it holds for a file."""
        found = attributes.get(self.key)
        values = self.value if isinstance(self.value, list) else [self.value]
        if self.type in ("eq", "in"):
            return found is not None and any(_same(found, value) for value in values)
        if self.type in ("ne", "nin"):
            return found is None or not any(_same(found, value) for value in values)
        return found is not None and len(values) == 1 and _ordered(self.type, found, values[0])


class Compound(BaseModel):
    """Conditions of which all, or at least one, have to hold."""

    type: Literal["and", "or"]
    filters: list[Filter] = Field(max_length=100)

    def holds(self, attributes: Mapping[str, Plain]) -> bool:
        """Say whether it holds for a file."""
        parts = (part.holds(attributes) for part in self.filters)
        return all(parts) if self.type == "and" else any(parts)


Filter = Annotated[Comparison | Compound, Field(discriminator="type")]
Compound.model_rebuild()


def _same(one: Plain, other: Plain) -> bool:
    # True is 1 for Python, but not for whoever wrote the filter
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def _ordered(kind: str, found: Plain, value: Plain) -> bool:
    # never their difference: an integer can be too large for it
    return isinstance(found, str) == isinstance(value, str) and _ORDERS[kind](found, value)
