import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doceo.text.blocks import blocks
from doceo.text.sentences import sentence_spans, sentences


def texts(text: str) -> list[str]:
    return [text[s.start : s.end] for s in sentences(text)]


def kinds(text: str) -> list[str]:
    return [s.kind for s in sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four.", ["One.", "Two!", "Three?", "Four."]),
        ("Dr. Smith met Mr. Jones. They spoke.", ["Dr. Smith met Mr. Jones.", "They spoke."]),
        ("Use a tool, e.g. Make. It helps.", ["Use a tool, e.g. Make.", "It helps."]),
        ("The value is 3.14 today. It was 2.7 before.", ["The value is 3.14 today.", "It was 2.7 before."]),
        ("Python 2.6 is old. Django 1.7 needs 3.4. Good.", ["Python 2.6 is old.", "Django 1.7 needs 3.4.", "Good."]),
        ("J. R. Smith wrote it. He was right.", ["J. R. Smith wrote it.", "He was right."]),
        ("It is made in the U.S. The plant is big.", ["It is made in the U.S.", "The plant is big."]),
        ("The U.S. Department of Labor pays.", ["The U.S. Department of Labor pays."]),
        ("It grew.[11] IBM sold it.[12][13] The end.", ["It grew.[11]", "IBM sold it.[12][13]", "The end."]),
        ("He said “stop.” Then he left.", ["He said “stop.”", "Then he left."]),
        ("Loaded by `libltdl`. `dependency_libs` stays.", ["Loaded by `libltdl`.", "`dependency_libs` stays."]),
        ("A sentence that\nis wrapped hard. Another\none.", ["A sentence that\nis wrapped hard.", "Another\none."]),
        ("猫が好きです。犬も好きです。", ["猫が好きです。", "犬も好きです。"]),
        ("他说：“好！”她走了。为什么？没人知道", ["他说：“好！”", "她走了。", "为什么？", "没人知道"]),
        ("यह एक है। यह दो है।", ["यह एक है।", "यह दो है।"]),
        ("هل هو هنا؟ نعم.", ["هل هو هنا؟", "نعم."]),
        ("One.... " + "." * 9, ["One....", "." * 9]),
        ("", []),
        (" \n\t ", []),
    ],
)
def test_known_sentences(text: str, expected: list[str]) -> None:
    assert texts(text) == expected


def test_blocks_of_markdown() -> None:
    text = (
        "# Title\n\nFirst sentence. Second one.\n\n- an item\n- another item\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n"
        "```python\nx = 1.0  # No. Not. Sentences.\n```\n\nSetext\n======\n\nLast."
    )
    assert kinds(text) == [
        "heading", "prose", "prose", "item", "item", "row", "row", "row", "code", "heading", "prose",
    ]  # fmt: skip
    assert texts(text)[8].startswith("```python")


def test_numbered_heading_of_a_pdf_page_is_parted_from_its_paragraph() -> None:
    text = (
        "8.6.2 Shared library changes\nMaintaining a shared library requires being aware of the exposed interface "
        "of the\nshared library and any changes to it."
    )
    assert kinds(text) == ["heading", "prose"]


def test_short_title_line_of_a_pdf_page_is_a_heading() -> None:
    text = (
        "and this is how the paragraph before it came to its end.\nThe Birth of Word Processing (1960s)\n"
        "The term first emerged in the 1960s and referred to any system designed to help with writing."
    )
    assert kinds(text) == ["prose", "heading", "prose"]


def test_list_marker_belongs_to_the_first_sentence() -> None:
    assert texts("1. First point. With more.\n2. Second point.") == [
        "1. First point.",
        "With more.",
        "2. Second point.",
    ]


def test_sentences_of_one_paragraph_share_their_block() -> None:
    found = sentences("One here. Two here.\n\nThree there.")
    assert [s.block for s in found] == [0, 0, 1]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("```\nx = 1\n```\n\n" + "Words follow here, more of them than of code. " * 3, ["code", "prose"]),
        ("Title\n~~~~~\n\nText under it is long enough.\n\nOther\n~~~~~\n\nMore.", ["heading", "prose"] * 2),
        ("Before it.\n\n```\nnever closed\n\nAfter it.", ["prose", "prose", "prose"]),
        (
            "- item:\n\n      ```sh\n      # a comment\n      ```\n\n" + "And text after it. " * 9,
            ["item", "code", "prose"],
        ),
        (
            "这是一个没有句号的很长的段落它讲述了许多事情因此不是标题而是正文内容并且还在继续说下去直到结束为止",
            ["prose"],
        ),
        ("消防署はサーバエリアを守った。全焼しました", ["prose"]),
        ("#" + " word" * 60, ["prose"]),
        ("***", ["heading"]),
        ("→ ⇒", ["prose"]),
    ],
)
def test_kinds_of_blocks(text: str, expected: list[str]) -> None:
    assert [block.kind for block in blocks(text)] == expected


def test_a_run_of_stops_takes_no_time() -> None:
    for run in ("." * 200_000, ".[1](" * 40_000, ".*" * 100_000, "!?" * 100_000 + "x"):
        start = time.process_time()
        sentence_spans(run)
        assert time.process_time() - start < 2


PIECES = st.sampled_from(
    [
        "A cat. ",
        "e.g. ",
        "\n",
        "\n\n",
        "# H\n",
        "- item. ",
        "```\n",
        "| a | b |\n",
        "Dr. X ",
        "3.14 ",
        "…",
        "“q.” ",
        "。",
        "\u200b",
        "  ",
        "x",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(PIECES, max_size=30).map("".join)))
def test_spans_are_exact_ordered_and_complete(text: str) -> None:
    spans = sentence_spans(text)
    end = 0
    for start, stop in spans:
        assert end <= start < stop
        assert not text[end:start].strip()
        assert text[start:stop] == text[start:stop].strip()
        end = stop
    assert not text[end:].strip()
