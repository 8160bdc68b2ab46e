"""What pairs are made from, and who makes and checks them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from data.search import PassageSearch
from doceo.core.protocols import Teacher
from doceo.core.records import Chunk, Difficulty, Document, Pair, Verdict
from generator.plan import information

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Embed = Callable[[Sequence[str]], "NDArray[np.float32]"]
"""Texts to unit vectors, shape (texts, dimensions)."""


@dataclass(frozen=True)
class Corpus:
    """What pairs are made from.

    Attributes:
        documents: All documents.
        chunks: All chunks, in order.
        unseen: Ids of the chunks that are kept out of training.
        left_out: Ids of chunks that nothing is asked about: boilerplate.
        local: Ids of the documents that no teacher on another machine may read.
        topics: Topic of chunks, by id; a chunk without one has its heading or its document's title.
    """

    documents: Sequence[Document]
    chunks: Sequence[Chunk]
    unseen: frozenset[str]
    left_out: frozenset[str] = frozenset()
    local: frozenset[str] = frozenset()
    topics: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def document(self) -> dict[str, Document]:
        """Documents by id."""
        return {document.id: document for document in self.documents}

    @cached_property
    def chunk(self) -> dict[str, Chunk]:
        """Chunks by id."""
        return {chunk.id: chunk for chunk in self.chunks}

    @cached_property
    def of_document(self) -> dict[str, list[Chunk]]:
        """Chunks by the id of their document, in order."""
        found: dict[str, list[Chunk]] = {document.id: [] for document in self.documents}
        for chunk in self.chunks:
            found[chunk.document_id].append(chunk)
        return found

    @cached_property
    def position(self) -> dict[str, int]:
        """Place of every chunk in the corpus, by id."""
        return {chunk.id: i for i, chunk in enumerate(self.chunks)}

    @cached_property
    def weight(self) -> dict[str, float]:
        """Information of every chunk, by id; 0 for what nothing is asked about."""
        return {chunk.id: 0 if chunk.id in self.left_out else information(chunk) for chunk in self.chunks}

    @cached_property
    def language(self) -> dict[str, str]:
        """Language of every document, by id; empty where it is not known."""
        return {document.id: document.metadata.get("language", "") for document in self.documents}

    def topic_of(self, chunk: Chunk) -> str:
        """Return a chunk's topic."""
        return self.topics.get(chunk.id) or (
            chunk.heading_path[-1] if chunk.heading_path else self.document[chunk.document_id].title
        )


@dataclass(frozen=True)
class Checked:
    """What a model's check found: a verdict where the pair is refused, scores, and the difficulty it measured."""

    verdict: Verdict | None = None
    scores: Mapping[str, float] = field(default_factory=dict)
    difficulty: Difficulty | None = None


class DeepCheck(Protocol):
    """A check that asks a model about a pair that has passed all cheaper ones. Safe for many pairs at once."""

    async def check(self, pair: Pair) -> Checked:
        """Check one pair. Raises ProviderError."""
        ...


@dataclass(frozen=True)
class Crew:
    """Who makes and checks pairs.

    Attributes:
        teacher: Proposes pairs.
        stand_in: Proposes pairs of documents that the teacher may not read, and, where allowed, of passages for which
            it failed; None: nobody does.
        fill_in: Whether the stand-in makes the pairs of a passage for which the teacher failed.
        checks: Checks by a model, cheapest first.
        search: Search over the corpus; None where nothing needs it.
        embed: The embedder, for semantic repeats; None leaves those out.
        difficulty: A stated feature score, for pairs whose difficulty no model measured.
    """

    teacher: Teacher
    difficulty: Callable[[Pair, Sequence[Chunk]], Difficulty]
    stand_in: Teacher | None = None
    fill_in: bool = False
    checks: Sequence[DeepCheck] = ()
    search: PassageSearch | None = None
    embed: Embed | None = None
