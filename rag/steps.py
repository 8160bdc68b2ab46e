"""Work that asks a model in between, written without saying how: the same for threads and for an event loop.

Steps are a generator that yields what a model is to be asked and is sent its replies; its return value is the result.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Generic, TypeVar

from doceo.core.errors import ProviderError
from doceo.core.records import ChatReply, ChatRequest

T = TypeVar("T")
Steps = Generator[ChatRequest, ChatReply, T]


class Done(Generic[T]):
    """The result of steps that have ended."""

    def __init__(self, value: T) -> None:
        self.value = value


def advance(steps: Steps[T], said: ChatReply | ProviderError | None = None) -> ChatRequest | Done[T]:
    """Go on to the next request, or to the end.

    Args:
        steps: What is done.
        said: What became of the request before; None at the beginning. An error is raised where it was asked.
    """
    try:
        if isinstance(said, ProviderError):
            return steps.throw(said)
        return next(steps) if said is None else steps.send(said)
    except StopIteration as end:
        return Done(end.value)


def taken(steps: Steps[T], complete: Callable[[ChatRequest], ChatReply]) -> T:
    """Return the result of steps whose requests are answered by `complete`, in this thread. Raises as the steps."""
    said: ChatReply | ProviderError | None = None
    while not isinstance(found := advance(steps, said), Done):
        try:
            said = complete(found)
        except ProviderError as error:
            said = error
    return found.value
