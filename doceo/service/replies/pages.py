"""Pages of lists, and what is said of something deleted."""

from __future__ import annotations

from typing import Generic, Literal, TypeVar

from pydantic import BaseModel

T = TypeVar("T")


class Paged(BaseModel, Generic[T]):
    """A page of a list; the ids are empty where it holds nothing."""

    object: Literal["list"]
    data: list[T]
    first_id: str
    last_id: str
    has_more: bool


class Deleted(BaseModel):
    """What was deleted."""

    id: str
    object: str
    deleted: Literal[True]
