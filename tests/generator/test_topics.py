"""Topics: clusters of passages and their names."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from doceo.core.fingerprint import sha256
from doceo.core.records import Chunk, Span
from doceo.providers.embedders import open_embedder
from generator import topics
from generator.topics import topics_of

SUBJECTS = {
    "lighthouse": [
        "The lighthouse guards the harbour, and its lamp reaches ships at a distance of 28 kilometres.",
        "A Fresnel lens bends the light of the lighthouse lamp into a narrow beam.",
        "The lamp of the lighthouse was converted to electricity, so that ships see it in fog.",
        "Keepers of the lighthouse cleaned the lamp and the lens every morning.",
    ],
    "bread": [
        "Bread dough is kneaded until the flour and the yeast have formed a smooth ball.",
        "Yeast makes the dough rise; warm flour helps the yeast.",
        "A loaf of bread is baked in a hot oven until the crust is brown.",
        "Rye flour makes a dough that is heavier than dough of wheat flour.",
    ],
    "compiler": [
        "A compiler translates source code of a programming language into machine code.",
        "The parser of the compiler reads tokens of the source code and builds a syntax tree.",
        "An optimising compiler removes code that a program never runs.",
        "The linker joins the object code that the compiler has made into one program.",
    ],
}


def chunk(text: str) -> Chunk:
    span = Span(document_id="d", start=0, end=len(text))
    return Chunk(id=f"c_{sha256(text)[:12]}", document_id="d", span=span, text=text, tokens=9, text_sha256=sha256(text))


CHUNKS = [chunk(text) for place in range(4) for text in (texts[place] for texts in SUBJECTS.values())]


def embed(texts: Sequence[str]) -> NDArray[np.float32]:
    return open_embedder().embed(texts)


def test_three_subjects_give_three_topics_with_telling_labels() -> None:
    found = topics_of(CHUNKS, embed, 3)
    assert list(found.sizes.values()) == [4, 4, 4]
    for word, texts in zip(("lamp", "dough", "code"), SUBJECTS.values(), strict=True):
        labels = {found.labels[chunk(text).id] for text in texts}
        assert len(labels) == 1
        assert word in labels.pop().split(", ")
    assert topics_of(CHUNKS, embed, 3) == found


def test_passages_beyond_the_sample_join_by_their_words(monkeypatch: pytest.MonkeyPatch) -> None:
    embedded: list[str] = []

    def noting(texts: Sequence[str]) -> NDArray[np.float32]:
        embedded.extend(texts)
        return embed(texts)

    monkeypatch.setattr(topics, "SAMPLE", 9)
    found = topics_of(CHUNKS, noting, 3, seed=1)
    assert len(embedded) == 9
    assert set(found.labels) == {one.id for one in CHUNKS}
    for texts in SUBJECTS.values():
        assert len({found.labels[chunk(text).id] for text in texts}) == 1


def test_known_vectors_are_used_and_equal_texts_embedded_once() -> None:
    known = {one.text_sha256: row for one, row in zip(CHUNKS, embed([one.text for one in CHUNKS]), strict=True)}

    def never(texts: Sequence[str]) -> NDArray[np.float32]:
        raise AssertionError(texts)

    assert topics_of(CHUNKS, never, 3, vectors=known) == topics_of(CHUNKS, embed, 3)
    asked: list[str] = []
    topics_of([CHUNKS[0]] * 3, lambda texts: asked.extend(texts) or embed(texts))  # type: ignore[func-returns-value]
    assert asked == [CHUNKS[0].text]


def test_small_corpora() -> None:
    assert topics_of([], embed).labels == {}
    assert list(topics_of(CHUNKS[:1], embed, 5).sizes.values()) == [1]
    assert len(topics_of(CHUNKS[:2], embed).sizes) == 2
    marks = [chunk("1 2 3"), chunk("4 5 6")]
    assert len(set(topics_of(marks, embed, 2).labels.values())) == 2


def test_real_articles_come_apart(shared_data: Path) -> None:
    file = shared_data / "squad" / "xquad.zh.json.gz"
    data = json.loads(gzip.decompress(file.read_bytes()))["data"]
    assert all(any("\u4e00" <= c <= "\u9fff" for c in label) for label in topics_of(
        [chunk(p["context"]) for article in data[:6] for p in article["paragraphs"]],
        lambda texts: embed([text[:200] for text in texts]), 4).sizes)  # fmt: skip
    file = shared_data / "squad" / "squad-v1.1-dev.first24.json.gz"
    articles = json.loads(gzip.decompress(file.read_bytes()))["data"][:4]
    home = {chunk(p["context"]).id: article["title"] for article in articles for p in article["paragraphs"]}
    chunks = [chunk(p["context"]) for article in articles for p in article["paragraphs"]]
    found = topics_of(chunks, lambda texts: embed([text[:600] for text in texts]), 4)
    together = Counter((found.labels[one.id], home[one.id]) for one in chunks)
    best = sum(max(n for (label, _), n in together.items() if label == name) for name in found.sizes)
    assert best / len(chunks) > 0.9
