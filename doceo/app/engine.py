"""Where work over many items is done: in this process, or in parts on the machines of a Ray cluster.

A stage is a pure function of a list whose results are those of its parts, one after another. So nobody can see from a
result where it was made, or in how many parts: the bytes are the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Generic, Protocol, TypeVar

from doceo.core.errors import MissingExtra

Item = TypeVar("Item")
Made = TypeVar("Made")
LOCAL, RAY = "process", "ray"
"""Names of the engines."""


@dataclass(frozen=True)
class Stage(Generic[Item, Made]):
    """A pure function over items, and how its items and results travel to another machine and back.

    Args:
        work: Yields what it makes of some items, in their order: of two lists joined, what it makes of each.
        takes: Type of an item, for pydantic.
        makes: Type of a result, the same.
        part: Items that one machine is given at a time.
    """

    work: Callable[[Sequence[Item]], Iterable[Made]]
    takes: Any
    makes: Any
    part: int


class Engine(Protocol):
    """A place where stages run."""

    at_once: int
    """Parts that are worked on together, so that whoever has items in portions makes the portions large enough."""

    def each(self, stage: Stage[Item, Made], items: Sequence[Item]) -> Iterator[Made]:
        """Yield what a stage makes of the items, in their order."""
        ...


class Local:
    """This process."""

    at_once = 1

    def each(self, stage: Stage[Item, Made], items: Sequence[Item]) -> Iterator[Made]:
        """Yield what a stage makes of the items."""
        yield from stage.work(items)


HERE = Local()


def open_engine(executor: str) -> Engine:
    """Return the engine of a name, `process` or `ray`. Raises MissingExtra, and Unreachable without a cluster."""
    if executor != RAY:
        return HERE
    if find_spec(RAY) is None:
        raise MissingExtra(RAY, extra="ray", purpose="--executor ray")
    from doceo.app.ray_engine import Ray

    return Ray()
