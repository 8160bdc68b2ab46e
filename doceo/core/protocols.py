"""What a room may ask of another without knowing it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol

from doceo.core.records import (
    Answer,
    ChatReply,
    ChatRequest,
    Citation,
    Document,
    Draft,
    Message,
    Order,
    Pair,
    Passage,
    ProfileEntry,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Provider(Protocol):
    """A chat model. Its methods may be called from several threads at once."""

    @property
    def name(self) -> str:
        """`KIND:NAME`, as the user wrote it."""
        ...

    def complete(self, request: ChatRequest) -> ChatReply:
        """Answer a request. Raises ProviderError."""
        ...

    def stream(self, request: ChatRequest) -> Iterator[str | ChatReply]:
        """Yield the reply piece by piece and at the end, where it is known, the whole of it. Raises ProviderError.

        The pieces join to the text of the whole, which also tells why the reply ended and what it took.
        """
        ...


class AsyncProvider(Protocol):
    """A chat model that is asked many things at once, from one event loop."""

    @property
    def name(self) -> str:
        """`KIND:NAME`, as the user wrote it."""
        ...

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer a request. Raises ProviderError."""
        ...


class Tokens(Protocol):
    """A tokenizer as the chunker needs it."""

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Return the (start, end) code points of every token of the text, without special tokens."""
        ...


class Embedder(Tokens, Protocol):
    """A model that turns texts into unit vectors. Called from several threads at once."""

    name: str
    """The model's name, such as `all-MiniLM-L6-v2`."""
    dimensions: int
    max_tokens: int
    """The longest text in tokens, special tokens not counted."""

    @property
    def fingerprint(self) -> str:
        """Name, backend and weights in one string: vectors of different fingerprints do not mix."""
        ...

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return an array of shape (len(texts), dimensions), rows of length 1."""
        ...

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of questions, to be compared with those of passages that `embed` gives."""
        ...


class Retriever(Protocol):
    """Search over one index."""

    def search(self, question: str, k: int) -> list[Passage]:
        """Return the k best passages, best first."""
        ...


class Reranker(Protocol):
    """A model that reads a question and a passage together."""

    @property
    def name(self) -> str:
        """The model's name."""
        ...

    def score(self, question: str, texts: Sequence[str], seconds: float) -> list[float] | None:
        """Return a score for each text, higher is better, or None where that takes longer than so many seconds."""
        ...


class Answerer(Protocol):
    """A system that answers questions: a model, with or without documents, or the quote answerer."""

    @property
    def name(self) -> str:
        """The system's name, such as `tuned+rag`."""
        ...

    def answer(self, question: str, history: Sequence[Message] = (), profile: Sequence[ProfileEntry] = ()) -> Answer:
        """Answer one question in its conversation, for a user of whom so much is known. Raises ProviderError."""
        ...

    def stream(
        self, question: str, history: Sequence[Message] = (), profile: Sequence[ProfileEntry] = ()
    ) -> Iterator[str | Citation | Answer]:
        """Yield the text piece by piece, each citation when its marker is complete, at the end the whole Answer."""
        ...


class Teacher(Protocol):
    """Proposes pairs from chunks: what it answers depends on the order alone, so that orders can be spread anywhere."""

    @property
    def name(self) -> str:
        """The teacher's name, as it stands in the pairs."""
        ...

    @property
    def prompts(self) -> dict[str, str]:
        """Name and hash of every prompt used."""
        ...

    @property
    def exhaustive(self) -> bool:
        """True where one call gives every pair that the teacher can make of a chunk, whatever the number asked."""
        ...

    async def propose(self, order: Order, documents: Mapping[str, Document]) -> list[Draft]:
        """Propose about `order.n` pairs. `documents` holds those of the order's chunks, by id. Raises ProviderError."""
        ...

    async def reword(self, pair: Pair) -> str | None:
        """Ask the pair's question in other words, or None where that cannot be done. Raises ProviderError."""
        ...


class Task(Protocol):
    """One piece of visible work."""

    def advance(self, n: int = 1, note: str = "") -> None:
        """Say that n more units are done; `note` is shown beside the bar."""
        ...


class Progress(Protocol):
    """Where work is shown: a terminal, a log, a job's events, or nowhere."""

    def task(self, name: str, total: int | None = None, unit: str = "") -> AbstractContextManager[Task]:
        """Open a piece of work with a known or unknown number of units."""
        ...

    def say(self, line: str) -> None:
        """Show one line."""
        ...
