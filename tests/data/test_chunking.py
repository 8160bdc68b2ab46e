"""Chunks: exact spans, limits, structure; over any Unicode, by the tokenizer that ships."""

from __future__ import annotations

import gzip
import json
import re
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.chunking import MOST_CHARACTERS, chunk_document
from data.headings import heading_of
from doceo.core.config import ChunkConfig
from doceo.core.fingerprint import sha256
from doceo.core.records import Chunk, Document
from doceo.providers.minilm_onnx import MiniLM
from doceo.text.blocks import blocks
from doceo.text.sentences import sentences

MINILM = MiniLM()
FILLER = "Many words stand in this sentence so that the section has some size. " * 3


class Words:
    """A tokenizer of words and marks."""

    def offsets(self, text: str) -> list[tuple[int, int]]:
        return [match.span() for match in re.finditer(r"\w{1,6}|[^\w\s]", text)]


class Whole(Words):
    """A tokenizer whose counts do not add up: blank space between words costs a token, too."""

    def counts(self, texts: Sequence[str]) -> list[int]:
        return [len(re.findall(r"\w{1,6}|[^\w\s]|\s", text)) for text in texts]


def document(text: str, media_type: str = "text/markdown", title: str = "A") -> Document:
    return Document(
        id=Document.identify(text), source="a.md", media_type=media_type, title=title, text=text, sha256=sha256(text)
    )


def cut(text: str, **config: int) -> list[Chunk]:
    return chunk_document(document(text), Words(), ChunkConfig(**config))


def squeezed(text: str) -> str:
    return "".join(text.split())


def check(doc: Document, chunks: Sequence[Chunk], config: ChunkConfig, counts: Sequence[int]) -> None:
    """Check all that a chunk promises."""
    headings = [(b.start, b.end) for b in blocks(doc.text) if b.kind == "heading"]
    last, outside = 0, 0
    for chunk, size in zip(chunks, counts, strict=True):
        start, end = chunk.span.start, chunk.span.end
        assert doc.text[start:end] == chunk.text == chunk.text.strip() != ""
        assert start >= last
        assert chunk.tokens == size <= config.max_tokens
        assert len(chunk.text) <= MOST_CHARACTERS * config.max_tokens
        outside += inside_headings(doc.text, headings, last, start)
        last = end
    outside += inside_headings(doc.text, headings, last, len(doc.text))
    assert outside + sum(len(squeezed(chunk.text)) for chunk in chunks) == len(squeezed(doc.text))


def inside_headings(text: str, headings: Sequence[tuple[int, int]], start: int, end: int) -> int:
    """Return how many characters stand in a gap between chunks; all of them are those of headings."""
    titles = [(a, b) for a, b in headings if start <= a and b <= end]
    found = "".join(squeezed(text[a:b]) for a, b in titles)
    assert squeezed(text[start:end]) == found
    return len(found)


ALPHABET = st.one_of(
    st.characters(exclude_categories=["Cs"]),
    st.characters(min_codepoint=0x10000, max_codepoint=0x1FFFF),
    st.characters(min_codepoint=0x0300, max_codepoint=0x036F),
    st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF),
    st.characters(min_codepoint=0x0590, max_codepoint=0x06FF),
    st.sampled_from("\u200b\u200c\u200d\u2060\ufeff\u00ad\u202e\x1c\x85\u2028"),
    st.sampled_from("ab .\n#|-*`0。！"),
)
STRUCTURE = st.sampled_from(
    ["\n\n", "\n", "# Title\n", "## Deep\n\n", "- item. ", "| a | b |\n", "```\n", "~~~\n", "Name\n====\n", "---\n",
     "2.1 Numbered\n", "A sentence of words. ", "中文的句子。", "שלום עולם. ", "  ", "x" * 150, "[MASK]", "e\u0301" * 9,
     "𝔘𝔫𝔦" * 30, "สวัสดีชาวโลก" * 10]
)  # fmt: skip
TEXTS = st.one_of(
    st.text(alphabet=ALPHABET), st.lists(st.one_of(STRUCTURE, st.text(ALPHABET, max_size=30))).map("".join)
)


@settings(max_examples=200, deadline=None)
@given(TEXTS, st.integers(32, 60))
def test_chunks_keep_their_promises_over_any_text(text: str, most: int) -> None:
    doc, config = document(text), ChunkConfig(max_tokens=most, target_tokens=16)
    chunks = chunk_document(doc, MINILM, config)
    check(doc, chunks, config, [len(MINILM.offsets(chunk.text)) for chunk in chunks])


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.integers(32, 60))
def test_also_where_counts_do_not_add_up(text: str, most: int) -> None:
    doc, config = document(text), ChunkConfig(max_tokens=most, target_tokens=16)
    chunks = chunk_document(doc, Whole(), config)
    check(doc, chunks, config, Whole().counts([chunk.text for chunk in chunks]))


@settings(max_examples=80, deadline=None)
@given(st.lists(st.text(alphabet="Abcdef .", min_size=1, max_size=80), max_size=12))
def test_no_word_is_lost(paragraphs: list[str]) -> None:
    text = "\n\n".join(paragraphs)
    chunks = chunk_document(document(text, title="Library"), Words(), ChunkConfig(max_tokens=32, target_tokens=16))
    titles = {title for chunk in chunks for title in chunk.heading_path}
    held = squeezed("".join(chunk.text for chunk in chunks)) + squeezed("".join(titles))
    assert all(squeezed(block) in held for block in paragraphs if len(block) < 40)


def test_headings_make_the_path_and_close_a_chunk() -> None:
    chunks = cut(f"# A\n\n## One\n\n{FILLER}\n\n## Two\n\n### Deep\n\n{FILLER}", max_tokens=80, target_tokens=40)
    assert [chunk.heading_path for chunk in chunks] == [("One",), ("Two", "Deep")]


def test_a_heading_without_text_under_it_is_text() -> None:
    chunks = cut(f"# Part\n\n## Empty\n\n## Full\n\n{FILLER}\n\n## Last", max_tokens=90, target_tokens=60)
    assert [chunk.text.split("\n")[0] for chunk in chunks] == ["## Empty"]
    assert chunks[0].text.endswith("## Last")
    assert chunks[0].heading_path == ("Part",)
    assert [chunk.text for chunk in cut("Only a title")] == ["Only a title"]


def test_lines_that_only_look_like_headings_are_kept() -> None:
    lines = ["Aircraft Make: Piper", "Registration: N5921D", "Aircraft Category: Airplane", "Engines: 1 Reciprocating"]
    chunks = cut("\n\n".join(lines) + f"\n\n# Narrative\n\n{FILLER}", max_tokens=120, target_tokens=60)
    assert all(line in chunks[0].text for line in lines)


def test_a_rule_is_no_heading() -> None:
    chunks = cut(f"# One\n\n{FILLER}\n\n---\n\n{FILLER}", max_tokens=60, target_tokens=40)
    assert {chunk.heading_path for chunk in chunks} == {("One",)}


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


def test_a_long_table_is_cut_at_rows_and_a_long_list_at_items() -> None:
    rows = [f"| row number {n} | its value is {n * 7} |" for n in range(40)]
    items = [f"- Item number {n}. It has a second sentence." for n in range(30)]
    for lines in (rows, items):
        chunks = cut("\n".join(lines), max_tokens=64, target_tokens=50)
        assert len(chunks) > 3
        assert [line for chunk in chunks for line in chunk.text.split("\n")] == lines


def test_code_is_whole_where_it_fits_else_cut_at_blank_lines() -> None:
    def function(name: str) -> str:
        return f"def {name}(x, y):\n    total = x + y\n    return total * {len(name)}"

    short = f"```python\n{function('one')}\n\n{function('two')}\n```"
    assert any(
        short in chunk.text for chunk in cut(f"{FILLER}\n\n{short}\n\n{FILLER}", max_tokens=70, target_tokens=40)
    )
    names = ["alpha", "beta", "gamma", "delta", "epsilon"]
    long = "```python\n" + "\n\n".join(map(function, names)) + "\n```"
    chunks = cut(f"{FILLER * 4}\n\n{long}", max_tokens=60, target_tokens=40)
    assert all(any(function(name).strip() in chunk.text for chunk in chunks) for name in names)


MANUAL = (
    "1.  Introduction\n\n   The protocol moves a file from one host to another. It was made for networks that lose\n"
    "   packets.  A sender numbers each packet.\n\n2.  Terms\n\n   A host is a machine with an address. A packet is a\n"
    "   unit of data that a network carries.\n\n   The window is the number of packets that may be on their way.\n\n"
)


@pytest.mark.parametrize(
    "text",
    [
        f"```\n{MANUAL * 4}```\n",
        f"# RFC\n\n```text\n{MANUAL * 4}```",
        "".join(f"```\n{MANUAL}```\n\n" for _ in range(4)),
        "\n".join("    " + line for line in (MANUAL * 4).split("\n")),
        f"```\n{MANUAL * 4}",
    ],
    ids=["one fence", "title and fence", "a fence a page", "indented", "never closed"],
)
def test_a_file_that_is_one_preformatted_block_is_text(text: str) -> None:
    assert "code" not in {sentence.kind for sentence in sentences(text)}
    found = [" ".join(text[s.start : s.end].split()) for s in sentences(text)]
    assert found.count("A host is a machine with an address.") == 4
    assert any(
        "2. Terms" in path for chunk in cut(text) for path in [*chunk.heading_path, chunk.text.replace("  ", " ")]
    )


def test_a_line_without_an_end_is_cut() -> None:
    chunks = cut("word " * 500 + "x" * 3000, max_tokens=64, target_tokens=32)
    assert max(len(Words().offsets(chunk.text)) for chunk in chunks) <= 64
    assert sum(chunk.text.count("word") for chunk in chunks) == 500


@pytest.mark.parametrize(
    "text",
    ["word " * 20_000, "x" * 200_000, "." * 50_000, "```a\n" * 10_000, "e" + "\u0301" * 50_000, "# a\n" * 5_000,
     "a\n" + "=" * 50_000, "| a " * 10_000, "[1](" * 10_000, " " * 200_000 + "."],
    ids=["words", "letter", "dots", "open fences", "marks", "headings", "underline", "pipes", "brackets", "blanks"],
)  # fmt: skip
def test_no_text_takes_long(text: str) -> None:
    doc, config = document(text), ChunkConfig()
    start = time.process_time()
    chunks = chunk_document(doc, MINILM, config)
    assert time.process_time() - start < 5
    check(doc, chunks, config, [chunk.tokens for chunk in chunks])


def test_the_embedder_never_has_to_cut_a_chunk() -> None:
    text = "Zusammengesetzte Wörter: Donaudampfschifffahrtsgesellschaftskapitän! " * 80 + "ж" * 900
    for chunk in chunk_document(document(text), MINILM, ChunkConfig()):
        assert len(MINILM.offsets(chunk.text)) == chunk.tokens <= 254


def test_levels_of_headings() -> None:
    assert heading_of("### Deep **one** ###") == (3, "Deep one", True)
    assert heading_of("Title\n=====") == (1, "Title", True)
    assert heading_of("2.1.3 Numbered") == (3, "2.1.3 Numbered", False)
    assert heading_of("A.1 Appendix") == (2, "A.1 Appendix", False)
    assert heading_of("A plain title") == (2, "A plain title", False)
    assert heading_of("---").title == ""


def test_a_caption_ends_no_section_that_is_marked() -> None:
    text = (
        "# Winter sports\n\n## Ice hockey\n\nThe game is played on ice.\n\n"
        "From the Drawing by Fleming Williams\n\nA rink is sixty metres long.\n\n"
        "### Rules of match play\n\nSix players make a side.\n\n## Curling\n\nStones are made of granite.\n"
    )
    paths = {}
    for chunk in chunk_document(document(text, "text/markdown"), MINILM, ChunkConfig()):
        paths |= {line: chunk.headings(chunk.text.index(line)) for line in chunk.text.split("\n") if line}
    assert paths["Six players make a side."] == ("Winter sports", "Ice hockey", "Rules of match play")
    assert paths["Stones are made of granite."] == ("Winter sports", "Curling")
    caption = ("Winter sports", "Ice hockey", "From the Drawing by Fleming Williams")
    assert paths["A rink is sixty metres long."] == caption


def test_small_sections_that_share_a_chunk_keep_their_headings() -> None:
    text = "# Guide\n\n## Pier\n\nBoats leave at noon.\n\n## Office\n\nIt opens at eight.\n"
    (chunk,) = chunk_document(document(text, "text/markdown"), MINILM, ChunkConfig())
    assert chunk.heading_path == chunk.headings(3) == ("Guide", "Pier")
    assert chunk.headings(chunk.text.index("It opens")) == ("Guide", "Office")
    assert chunk.headings(chunk.text.index("## Office")) == ("Guide", "Office")


@pytest.mark.parametrize("language", ["de", "zh"])
def test_other_languages(shared_data: Path, language: str) -> None:
    read = json.loads(gzip.decompress((shared_data / "squad" / f"xquad.{language}.json.gz").read_bytes()))
    paragraphs = [p["context"] for article in read["data"][:8] for p in article["paragraphs"]]
    doc, config = document("\n\n".join(paragraphs), title=""), ChunkConfig()
    chunks = chunk_document(doc, MINILM, config)
    check(doc, chunks, config, [len(MINILM.offsets(chunk.text)) for chunk in chunks])
    assert not any(chunk.heading_path for chunk in chunks)
    ends = (".", "!", "?", "。", "！", "？", "”", "）", "]", "»", '"', "“", ")")
    assert sum(chunk.text.endswith(ends) for chunk in chunks) > 0.95 * len(chunks)


def test_real_documents(shared_data: Path) -> None:
    text = (shared_data / "docs" / "txt" / "policy.txt").read_text(encoding="utf-8")
    doc, config = document(text, "text/plain"), ChunkConfig()
    chunks = chunk_document(doc, MINILM, config)
    check(doc, chunks, config, MINILM.counts([chunk.text for chunk in chunks]))
    assert any(chunk.heading_path[-1:] == ("2.2.1. The main archive area",) for chunk in chunks)
