"""What can be done in parts: documents read, cut, embedded and compared, and asked about by the built-in teacher."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache, partial
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from data.chunking import chunk_document
from data.reader import distinct, read_each
from data.sources import SourceFile
from doceo.app.engine import HERE, Engine, Local, Stage, open_engine
from doceo.core.config import ChunkConfig, ReadConfig
from doceo.core.protocols import Embedder
from doceo.core.records import Chunk, Document, Skipped
from doceo.providers.embedders import open_embedder
from doceo.text.hashed_terms import Hashes
from doceo.text.sketches import PERMUTATIONS, sketches

if TYPE_CHECKING:
    from generator.teachers.extractive import Corpus
    from generator.teachers.grammar.terms import Terms
    from generator.teachers.passage import Proposal

FILES, DOCUMENTS, PASSAGES = 16, 32, 256
"""Items that one machine is given at a time: a second or a few of work each."""
_TOGETHER = 64
"""Passages that an embedder is given together."""


def read_in_parts(engine: Engine, files: Sequence[SourceFile], config: ReadConfig) -> Iterator[Document | Skipped]:
    """Yield a record for every file, in order, as `data.reader.read_files` does.

    Every machine has to see the files under the same paths. Files of one text are told apart here, where all are seen.
    """
    there = [replace(file, path=file.path.resolve()) for file in files]
    stage = Stage(partial(read_each, config=config), SourceFile, Document | Skipped, FILES)
    return distinct(engine.each(stage, there))


class EmbedderInParts:
    """An embedder whose passages are embedded by an engine; its questions are embedded here.

    Args:
        inner: The embedder.
        setting: What it is opened by on another machine: a folder that is there too, or a name.
        engine: Where passages are embedded.
    """

    def __init__(self, inner: Embedder, setting: str, engine: Engine) -> None:
        self._inner, self.setting, self.engine = inner, setting, engine
        self.name, self.dimensions, self.max_tokens = inner.name, inner.dimensions, inner.max_tokens
        self.at_once = PASSAGES * engine.at_once
        """Passages to embed in one call, so that every machine has some."""

    @property
    def fingerprint(self) -> str:
        """That of the embedder itself: it makes the same vectors."""
        return self._inner.fingerprint

    def offsets(self, text: str) -> list[tuple[int, int]]:
        """Return the (start, end) code points of every token of the text."""
        return self._inner.offsets(text)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return an array of shape (len(texts), dimensions), rows of length 1."""
        stage = Stage(partial(_vectors, self.setting), str, str, PASSAGES)
        found = [np.frombuffer(b64decode(text), dtype=np.float32) for text in self.engine.each(stage, texts)]
        return np.stack(found) if found else np.empty((0, self.dimensions), dtype=np.float32)

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return the vectors of questions."""
        return self._inner.embed_queries(texts)


def open_embedder_on(executor: str, name: str) -> Embedder:
    """Return the embedder of a name, whose passages the engine of a name embeds. Raises as both are opened."""
    engine, opened = open_engine(executor), open_embedder(name)
    return opened if isinstance(engine, Local) else EmbedderInParts(opened, name, engine)


def engine_of(embedder: Embedder) -> Engine:
    """Return where an embedder embeds, which is where all else is done too."""
    return embedder.engine if isinstance(embedder, EmbedderInParts) else HERE


def passages_at_once(embedder: Embedder) -> int:
    """Return how many passages an embedder should be given in one call."""
    from rag.building import BATCH  # a search engine comes with it

    return embedder.at_once if isinstance(embedder, EmbedderInParts) else BATCH


def chunk_in_parts(
    documents: Sequence[Document], embedder: Embedder, config: ChunkConfig
) -> Iterator[tuple[Chunk, ...]]:
    """Yield the chunks of every document, in order, cut where the embedder embeds."""
    if not isinstance(embedder, EmbedderInParts):
        return _cut(embedder, config, documents)
    cut = partial(_cut_there, embedder.setting, config)
    return embedder.engine.each(Stage(cut, Document, tuple[Chunk, ...], DOCUMENTS), documents)


def sketch_in_parts(engine: Engine, texts: Sequence[str]) -> Hashes:
    """Return the sketches of documents by which near-duplicates are found, shape (n, 64)."""
    if isinstance(engine, Local):
        return sketches(texts)
    found = [np.frombuffer(b64decode(text), dtype=np.uint64) for text in engine.each(_SKETCHES, texts)]
    return np.stack(found) if found else np.empty((0, PERMUTATIONS), dtype=np.uint64)


def propose_in_parts(engine: Engine, terms: Terms, corpus: Corpus) -> Iterator[tuple[tuple[Proposal, ...], ...]]:
    """Yield what `generator.teachers.extractive.read` does, for each document."""
    from generator.teachers.extractive import read
    from generator.teachers.passage import Proposal

    takes, makes = tuple[Document, tuple[Chunk, ...]], tuple[tuple[Proposal, ...], ...]
    documents = [(document, tuple(chunks)) for document, chunks in corpus]
    return engine.each(Stage(partial(read, terms), takes, makes, DOCUMENTS), documents)


def _cut(embedder: Embedder, config: ChunkConfig, documents: Sequence[Document]) -> Iterator[tuple[Chunk, ...]]:
    for document in documents:
        yield tuple(chunk_document(document, embedder, config))


def _cut_there(name: str, config: ChunkConfig, documents: Sequence[Document]) -> Iterator[tuple[Chunk, ...]]:
    return _cut(_opened(name), config, documents)


def _vectors(name: str, texts: Sequence[str]) -> Iterator[str]:
    """Yield the vectors of texts as base64 of float32."""
    for at in range(0, len(texts), _TOGETHER):
        for vector in _opened(name).embed(texts[at : at + _TOGETHER]):
            yield b64encode(np.ascontiguousarray(vector, dtype=np.float32).tobytes()).decode("ascii")


def _sketched(texts: Sequence[str]) -> Iterator[str]:
    """Yield the sketches of texts as base64 of uint64."""
    for sketch in sketches(texts):
        yield b64encode(sketch.tobytes()).decode("ascii")


_SKETCHES = Stage(_sketched, str, str, DOCUMENTS)


@cache
def _opened(name: str) -> Embedder:
    """Return the embedder of a name, opened once in each process."""
    return open_embedder(name)
