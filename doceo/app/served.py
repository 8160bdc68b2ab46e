"""An answerer as a service asks it: from an event loop, for many at once, no thread held while a model writes.

What takes the processor (search, prompt, citations) runs in a small pool of threads; between that the loop waits for
the model.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from concurrent.futures import Executor
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import ParamSpec, Protocol, TypeVar, runtime_checkable

from doceo.core.errors import ProviderError
from doceo.core.protocols import Answerer
from doceo.core.records import Answer, ChatReply, Citation, Message, ProfileEntry, Sampling, Usage
from doceo.providers.remote import AsyncRemote
from rag.answerer import NOT_ASKED, ModelAnswerer, timed
from rag.asking import Asked
from rag.steps import Done, advance
from rag.writing import Writing

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Query:
    """A question in its conversation, for a user of whom so much is known, and how its answer is drawn.

    `system` is what who asks says of all answers; what Doceo says of citing and refusing follows it. `only` names the
    sources that may be found, where the documents hold others too; None: all.
    """

    question: str
    history: Sequence[Message] = ()
    profile: Sequence[ProfileEntry] = ()
    sampling: Sampling = field(default_factory=Sampling)
    system: str = ""
    only: tuple[str, ...] | None = None

    def words(self, rules: str) -> str:
        """Return the system message, around what Doceo says."""
        return "\n\n".join(part for part in (self.system, rules) if part)


@dataclass(frozen=True)
class Begun:
    """A model is asked now, with a prompt of about so many tokens."""

    prompt_tokens: int


@dataclass(frozen=True)
class Ended:
    """The whole answer, and why its model stopped: `stop`, `length` or `content_filter`."""

    answer: Answer
    finish: str = "stop"


Part = Begun | str | Citation | Ended
Took = Callable[[Usage], None]
"""Is told what each question to a model took that came before the answer: a rewriting, a part of a summary."""


@runtime_checkable
class Limitable(Protocol):
    """An answerer that can keep to some documents."""

    def limited(self, sources: Sequence[str]) -> Answerer:
        """Return the same answerer over the documents of these sources only."""
        ...


class Served:
    """One system of a service. Used from one event loop.

    Args:
        answerer: The system.
        model: Its model; None where it needs none.
        pool: Where what takes the processor runs.
        forms: Whether the model keeps to a JSON form that is asked for.
        clock: Seconds.
    """

    def __init__(
        self,
        answerer: Answerer,
        model: AsyncRemote | None,
        pool: Executor,
        *,
        forms: bool = False,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.answerer, self._model, self._pool, self.forms, self._clock = answerer, model, pool, forms, clock
        self._limited: tuple[tuple[str, ...], Answerer] | None = None

    @property
    def draws(self) -> bool:
        """Whether a model writes the answer, which is drawn as a request says."""
        return self._model is not None

    async def aclose(self) -> None:
        """Close the model's connections."""
        if self._model is not None:
            await self._model.aclose()

    async def stream(self, query: Query, took: Took = lambda _: None) -> AsyncGenerator[Part, None]:
        """Yield that it begins, the text piece by piece, each citation once it is sure, at the end the whole answer.

        Leaving early ends the model's work. Raises ProviderError.
        """
        answerer = await self._over(query.only)
        if self._model is None:
            asked = partial(answerer.answer, query.question, query.history, query.profile)
            answer = await self._run(asked)
            yield answer.text
            yield Ended(answer)
            return
        assert isinstance(answerer, ModelAnswerer)
        async with aclosing(self._written(answerer, self._model, query, took)) as pieces:
            async for piece in pieces:
                yield piece

    async def _over(self, only: tuple[str, ...] | None) -> Answerer:
        """Return the answerer over some sources only; the last one is kept, as it holds vectors of their passages."""
        if only is None:
            self._limited = None
            return self.answerer
        known = self._limited
        if known is None or known[0] != only:
            assert isinstance(self.answerer, Limitable)
            known = self._limited = only, await self._run(partial(self.answerer.limited, only))
        return known[1]

    async def _written(
        self, answerer: ModelAnswerer, model: AsyncRemote, query: Query, took: Took
    ) -> AsyncGenerator[Part, None]:
        began = self._clock()
        asked = await self._prepared(answerer, model, query, took)
        generated = self._clock()
        if asked.request is None:
            answer = timed(answerer.finish(asked, NOT_ASKED), generated - began, 0.0)
            yield answer.text
            yield Ended(answer)
            return
        yield Begun(asked.trace.counted_tokens or 0)
        writing, told = answerer.writing(asked), None
        async with aclosing(model.stream(query.sampling.on(asked.request))) as pieces:
            async for piece in pieces:
                if isinstance(piece, ChatReply):
                    told = piece
                    continue
                parts = (
                    await self._run(partial(_all, writing.add, piece))
                    if writing.may_cite(piece)
                    else writing.add(piece)
                )
                for part in parts:
                    yield part
        now = self._clock()
        rest, answer = await self._run(partial(_ended, answerer, asked, writing, told))
        for part in rest:
            yield part
        yield Ended(timed(answer, now - began, now - generated), told.finish if told else "stop")

    async def _prepared(self, answerer: ModelAnswerer, model: AsyncRemote, query: Query, took: Took) -> Asked:
        words = query.words if query.system else None
        steps = answerer.steps(query.question, query.history, query.profile, words)
        said: ChatReply | ProviderError | None = None
        while not isinstance(found := await self._run(partial(advance, steps, said)), Done):
            try:
                said = await model.complete(found)
                took(answerer.counted(found, said.text, said).usage)
            except ProviderError as error:
                said = error
        return found.value

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)


def _ended(
    answerer: ModelAnswerer, asked: Asked, writing: Writing, told: ChatReply | None
) -> tuple[list[str | Citation], Answer]:
    """Return what is left of an answer once its model has ended, and the whole."""
    rest = list(writing.end())
    return rest, answerer.written(asked, writing, told)


def _all(make: Callable[P, Iterable[str | Citation]], *args: P.args, **more: P.kwargs) -> list[str | Citation]:
    return list(make(*args, **more))
