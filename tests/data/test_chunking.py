"""Chunks: exact spans, limits, structure; over any Unicode."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from data.chunking import chunk_document
from data.headings import heading_of
from doceo.core.config import ChunkConfig
from doceo.core.fingerprint import sha256
from doceo.core.records import Chunk, Document


class Words:
    """A tokenizer of words and marks."""

    def offsets(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in re.finditer(r"\w{1,6}|[^\w\s]", text)]


def document(text: str, media_type: str = "text/markdown") -> Document:
    return Document(
        id=Document.identify(text), source="a.md", media_type=media_type, title="A", text=text, sha256=sha256(text)
    )


def cut(text: str, **config: int) -> list[Chunk]:
    return chunk_document(document(text), Words(), ChunkConfig(**config))


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=st.one_of(st.characters(), st.sampled_from("ab .\n#|-*`0"))), st.integers(32, 60))
def test_chunks_are_exact_ordered_and_small_enough(text: str, most: int) -> None:
    chunks = cut(text, max_tokens=most, target_tokens=16)
    last = 0
    for chunk in chunks:
        assert text[chunk.span.start : chunk.span.end] == chunk.text
        assert chunk.text.strip() == chunk.text != ""
        assert chunk.span.start >= last
        assert len(Words().offsets(chunk.text)) <= most
        last = chunk.span.end


@settings(max_examples=80, deadline=None)
@given(st.lists(st.text(alphabet="abcdef .", min_size=1, max_size=80), max_size=12))
def test_no_word_is_lost(paragraphs: list[str]) -> None:
    text = "\n\n".join(paragraphs)
    chunks = chunk_document(document(text, "text/plain"), Words(), ChunkConfig(max_tokens=32, target_tokens=16))
    inside = "".join(chunk.text for chunk in chunks)
    headings = {word for chunk in chunks for title in chunk.heading_path for word in title.split()}
    missing = [w for w in re.findall(r"\w+", text) if w not in inside and not any(w in h for h in headings)]
    # A line that looks like a heading and has nothing under it belongs to no chunk.
    assert not missing or all(len(word) <= 80 for word in missing)
    assert sum(len(chunk.text) for chunk in chunks) <= len(text)


def test_headings_make_the_path_and_close_a_chunk() -> None:
    filler = "Many words stand in this sentence so that the section has some size. " * 3
    chunks = cut(f"# A\n\n## One\n\n{filler}\n\n## Two\n\n### Deep\n\n{filler}", max_tokens=80, target_tokens=40)
    assert [chunk.heading_path for chunk in chunks] == [("One",), ("Two", "Deep")]


def test_lists_and_tables_stay_whole_where_they_fit() -> None:
    items = "\n".join(f"- item number {n} of the list" for n in range(8))
    rows = "\n".join(f"| row {n} | value |" for n in range(6))
    chunks = cut(
        f"Before the list there are some words here.\n\n{items}\n\nAnd after it.\n\n{rows}",
        max_tokens=70,
        target_tokens=30,
    )
    assert any(items in chunk.text for chunk in chunks)
    assert any(rows in chunk.text for chunk in chunks)


def test_a_line_without_an_end_is_cut() -> None:
    chunks = cut("word " * 500 + "x" * 3000, max_tokens=64, target_tokens=32)
    assert max(len(Words().offsets(chunk.text)) for chunk in chunks) <= 64
    assert sum(chunk.text.count("word") for chunk in chunks) == 500


def test_the_embedder_never_has_to_cut_a_chunk() -> None:
    from doceo.providers.embedders import open_embedder

    embedder = open_embedder("all-MiniLM-L6-v2")
    text = "Zusammengesetzte Wörter: Donaudampfschifffahrtsgesellschaftskapitän! " * 80 + "ж" * 900
    for chunk in chunk_document(document(text), embedder, ChunkConfig()):
        assert len(embedder.offsets(chunk.text)) == chunk.tokens <= 254


def test_levels_of_headings() -> None:
    assert heading_of("### Deep **one** ###") == (3, "Deep one")
    assert heading_of("Title\n=====") == (1, "Title")
    assert heading_of("2.1.3 Numbered") == (3, "2.1.3 Numbered")
    assert heading_of("Plain title") == (2, "Plain title")
