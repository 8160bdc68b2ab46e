from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from doceo.core.fingerprint import sha256
from doceo.core.records import Chunk, Document, Span
from doceo.providers.minilm_onnx import MiniLM

if TYPE_CHECKING:
    from numpy.typing import NDArray


class WordVectors:
    """An embedder whose vectors are known: one dimension a word (by checksum), counted, length 1."""

    name = "words"
    dimensions = 256
    max_tokens = 60

    def __init__(self, fingerprint: str = "words|1") -> None:
        self.fingerprint = fingerprint
        self.embedded: list[str] = []

    def offsets(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in re.finditer(r"\w+", text)]

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.embedded += texts
        vectors = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in zip(vectors, texts, strict=True):
            for start, end in self.offsets(text):
                row[zlib.crc32(text[start:end].lower().encode("utf-8", "surrogatepass")) % self.dimensions] += 1
            row /= np.linalg.norm(row) or 1.0
        return vectors

    def embed_queries(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self.embed(texts)


def document(source: str, text: str, title: str = "") -> tuple[Document, list[Chunk]]:
    """A document whose chunks are its paragraphs."""
    key = Document.identify(text)
    chunks = []
    for match in re.finditer(r"[^\n](?:.|\n(?!\n))*", text):
        span = Span(document_id=key, start=match.start(), end=match.end())
        chunks.append(
            Chunk(
                id=Chunk.identify(span),
                document_id=key,
                span=span,
                text=match.group(),
                heading_path=(title or source,),
                tokens=len(match.group().split()),
                text_sha256=sha256(match.group()),
            )
        )
    made = Document(
        id=key, source=source, media_type="text/plain", title=title or source, text=text, sha256=sha256(text)
    )
    return made, chunks


Corpus = tuple[list[Document], list[Chunk]]


def corpus(*files: tuple[str, str]) -> Corpus:
    pairs = [document(source, text) for source, text in files]
    return [made for made, _ in pairs], [chunk for _, chunks in pairs for chunk in chunks]


@pytest.fixture
def words() -> WordVectors:
    return WordVectors()


@pytest.fixture(scope="session")
def new_words() -> type[WordVectors]:
    return WordVectors


@pytest.fixture(scope="session")
def make_corpus() -> Callable[..., Corpus]:
    return corpus


@pytest.fixture(scope="session")
def minilm(tmp_path_factory: pytest.TempPathFactory) -> MiniLM:
    patch = pytest.MonkeyPatch()
    patch.setenv("DOCEO_CACHE", str(tmp_path_factory.mktemp("cache")))
    embedder = MiniLM(threads=1)
    assert embedder.fingerprint
    patch.undo()
    return embedder


TOWERS = (
    "The Harrow lighthouse was built in 1872 by Edith Marlow. It stands 41 metres above the cliffs of Port Harrow.\n\n"
    "The lamp burns colza oil, because whale oil had become too dear. The keeper fills it every six hours.\n\n"
    "Visitors may climb the tower on Saturdays. Admission costs 4 euros."
)
BREAD = (
    "Sourdough rises without bakers' yeast. Wild yeast and lactic acid bacteria ferment the dough.\n\n"
    "Bake the loaf at 230 degrees for 45 minutes. Let it rest on a rack before it is cut.\n\n"
    "A levain is a mixture of flour and water that holds wild yeast."
)
PERMITS = (
    "A fishing permit is valid for one year. The harbour office issues it on the second floor.\n\n"
    "Applications take ten working days. The fee is refunded when an application is refused."
)


@pytest.fixture(scope="session")
def small_index(minilm: MiniLM, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from rag.indexing import update

    folder = tmp_path_factory.mktemp("small") / "index"
    documents, chunks = corpus(("guide/towers.txt", TOWERS), ("guide/bread.txt", BREAD), ("guide/permits.txt", PERMITS))
    update(folder, documents, chunks, minilm)
    return folder
