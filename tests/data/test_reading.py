"""Sources, loaders and the process that opens files."""

from __future__ import annotations

import re
from collections import Counter
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest
from PIL import Image
from reportlab.pdfgen.canvas import Canvas

from data.cleaning import (
    normalise,
    unescaped,
    unwrapped,
    with_table_heads,
    without_leaders,
    without_running_lines,
)
from data.reader import read_files
from data.sources import SourceFile, find_files, is_local
from doceo.core.config import ReadConfig
from doceo.core.errors import InputError, UsageError
from doceo.core.records import Document, Skipped


def read_one(path: Path, config: ReadConfig | None = None) -> Document | Skipped:
    return next(iter(read_files([SourceFile(path.name, path)], config or ReadConfig())))


def test_names_are_the_last_part_of_the_source_and_the_path_inside(tmp_path: Path) -> None:
    (tmp_path / "papers" / "deep").mkdir(parents=True)
    (tmp_path / "papers" / "deep" / "a.md").write_text("a")
    (tmp_path / "papers" / ".hidden.md").write_text("h")
    (tmp_path / "b.md").write_text("b")
    found = find_files([str(tmp_path / "papers"), str(tmp_path / "b.md")])
    assert [file.source for file in found] == ["b.md", "papers/deep/a.md"]
    assert [f.source for f in find_files([str(tmp_path / "*.md")])] == ["b.md"]


def test_two_sources_of_one_name_are_refused_and_a_missing_one_named(tmp_path: Path) -> None:
    for parent in ("x", "y"):
        (tmp_path / parent / "papers").mkdir(parents=True)
    with pytest.raises(UsageError, match="papers"):
        find_files([str(tmp_path / "x" / "papers"), str(tmp_path / "y" / "papers")])
    with pytest.raises(InputError, match="nowhere"):
        find_files([str(tmp_path / "nowhere")])


def test_six_formats_are_read_and_equal_text_is_skipped(library: Path, tmp_path: Path) -> None:
    (tmp_path / "copy.md").write_bytes((library / "ferry.md").read_bytes().replace(b"\n", b"\r\n"))
    files = find_files([str(library), str(tmp_path / "copy.md")])
    records = list(read_files(files, ReadConfig()))
    documents = [r for r in records if isinstance(r, Document)]
    skipped = [r for r in records if isinstance(r, Skipped)]
    assert len(documents) == 6
    assert [(s.source, s.reason, s.detail) for s in skipped] == [
        ("library/ferry.md", "duplicate", "the same text as copy.md")
    ]
    mill = next(d for d in documents if d.source == "library/mill.html")
    assert mill.title == "The Corvin mill"
    assert "Home" not in mill.text
    assert "# The Corvin mill" in mill.text


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("empty.txt", b"", "empty"),
        ("blank.md", b" \n\t\n", "empty"),
        ("binary.txt", bytes(range(256)) * 20, "binary"),
        ("a.xyz", b"text", "unsupported"),
        ("a.pdf", bytes(range(256)), "damaged"),
        ("a.docx", bytes(range(256)), "damaged"),
        ("noending", bytes(range(256)), "binary"),
        ("a.epub", b"PK\x03\x04 cut off", "damaged"),
        ("empty.pdf", b"", "empty"),
    ],
)
def test_what_cannot_be_read_is_skipped_with_a_reason(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    record = read_one(tmp_path / name)
    assert isinstance(record, Skipped)
    assert record.reason == reason
    assert record.detail


def test_what_a_file_is_goes_before_its_name(tmp_path: Path) -> None:
    (tmp_path / "page.pdf").write_text("<html><body><p>The pool is 25 metres long.</p></body></html>")
    (tmp_path / "README").write_bytes("Die Größe des Beckens beträgt 25 Meter, es ist schön.".encode("cp1252"))
    page, readme = (read_one(tmp_path / name) for name in ("page.pdf", "README"))
    assert isinstance(page, Document)
    assert isinstance(readme, Document)
    assert page.text == "The pool is 25 metres long.\n"
    assert page.metadata == {"encoding": "utf-8", "language": "en", "read_as": ".html"}
    assert readme.metadata == {"encoding": "cp1252", "language": "de", "read_as": ".txt"}


def test_what_is_piped_in_is_a_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(b"<!doctype html><p>The pool is 25 metres long.</p>")))
    files = find_files(["-"])
    record = next(iter(read_files(files, ReadConfig())))
    assert isinstance(record, Document)
    assert (record.source, record.media_type, record.text) == ("stdin", "text/html", "The pool is 25 metres long.\n")
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO()))
    with pytest.raises(InputError, match="stdin"):
        find_files(["-"])


def test_documents_can_be_marked_local(tmp_path: Path) -> None:
    (tmp_path / "open.txt").write_text("The pool is 25 metres long.")
    (tmp_path / "secret.txt").write_text("The code of the door is 4711.")
    config = ReadConfig(local=("*secret*",))
    records = list(read_files([SourceFile(f"pool/{path.name}", path) for path in sorted(tmp_path.iterdir())], config))
    assert [isinstance(r, Document) and r.metadata.get("local") for r in records] == [None, "true"]
    assert is_local("a/b/c.md", ["a/*"])
    assert is_local("c.md", ["d.md", "c.m?"])
    assert not is_local("a/c.md", ["c.md", "b/*", "A/*"])


def test_a_file_that_takes_too_long_is_given_up_and_the_next_one_read(tmp_path: Path) -> None:
    (tmp_path / "slow.txt").write_text("text")
    (tmp_path / "next.txt").write_text("other text")
    files = [SourceFile(name, tmp_path / name) for name in ("slow.txt", "next.txt")]
    records = list(read_files(files[:1], ReadConfig(seconds=0.0001))) + list(read_files(files[1:], ReadConfig()))
    assert [r.reason if isinstance(r, Skipped) else r.source for r in records] == ["timeout", "next.txt"]


def test_real_pages_keep_their_map(shared_data: Path) -> None:
    record = read_one(shared_data / "docs" / "pdf" / "multi_page.pdf")
    assert isinstance(record, Document)
    assert len(record.pages) == 5
    assert record.pages[0] == 0
    place = record.text.index("Wang Laboratories")
    assert record.page(place) == 1
    assert record.page(len(record.text) - 2) == 5


def test_a_scanned_page_names_the_extra(shared_data: Path) -> None:
    record = read_one(shared_data / "docs" / "scanned" / "ocr_test.pdf")
    assert isinstance(record, Skipped)
    assert record.reason == "scanned"
    assert "doceo[ocr]" in record.detail


def pdf(*pages: str | None) -> bytes:
    """Return a PDF with the lines of each page, a picture where there are none, or nothing for an empty string."""
    stream = BytesIO()
    canvas = Canvas(stream)
    for page in pages:
        if page is None:
            canvas.drawInlineImage(Image.new("L", (40, 40)), 100, 100, 300, 300)
        for n, line in enumerate((page or "").split("\n")):
            canvas.drawString(72, 720 - 14 * n, line)
        canvas.showPage()
    canvas.save()
    return stream.getvalue()


def test_scanned_pages_are_counted(tmp_path: Path) -> None:
    (tmp_path / "some.pdf").write_bytes(pdf("The pool is 25 metres long.", None, "", "It is heated."))
    (tmp_path / "all.pdf").write_bytes(pdf(None, None))
    (tmp_path / "blank.pdf").write_bytes(pdf("", ""))
    some, every, blank = (read_one(tmp_path / name) for name in ("some.pdf", "all.pdf", "blank.pdf"))
    assert isinstance(some, Document)
    assert some.metadata["scanned_pages"] == "1"
    assert len(some.pages) == 4
    assert [some.page(some.text.index(words)) for words in ("The pool", "It is")] == [1, 4]
    assert isinstance(every, Skipped)
    assert isinstance(blank, Skipped)
    assert (every.reason, blank.reason) == ("scanned", "empty")
    assert "doceo[ocr]" in every.detail


LEAST = {"pptx__powerpoint_sample.pptx": 0.84}
"""Share of the expected words that is found, where it is not all: merged cells are written once there, not often."""


def test_real_documents_hold_the_words_that_another_reader_finds(shared_data: Path) -> None:
    expectations = {path.stem: path for path in (shared_data / "docs_expected").iterdir()}
    folders = {name: shared_data / ("docs" if "__" in name else "bad") for name in expectations}
    files = [SourceFile(name, folders[name] / name.replace("__", "/")) for name in sorted(expectations)]
    for record in read_files(files, ReadConfig()):
        name, expected = record.source, expectations[record.source]
        assert isinstance(record, Document), name
        wanted, found = (
            Counter(re.findall(r"[^\W_]+", re.sub("<!--.*?-->", "", text).lower()))
            for text in (expected.read_text(encoding="utf-8"), record.text)
        )
        share = (wanted & found).total() / wanted.total()
        assert share >= LEAST.get(name, 0.99), f"{name}: {share:.3f} of the words"


@pytest.mark.slow
def test_all_real_documents_are_read(shared_data: Path) -> None:
    records = list(read_files(find_files([str(shared_data / "docs")]), ReadConfig()))
    skipped = {r.source.removeprefix("docs/"): r.reason for r in records if isinstance(r, Skipped)}
    assert skipped == {
        "encodings/fake-text-utf-32.txt": "duplicate",
        "scanned/loremipsum-flat.pdf": "scanned",
        "scanned/ocr_test.pdf": "scanned",
    }
    languages = {r.source.split("/")[-1]: r.metadata["language"] for r in records if isinstance(r, Document)}
    known = {
        "project-history.ja.pdf": "ja",
        "korean-text-with-tables.pdf": "ko",
        "debian-policy.epub": "en",
        "fake-html-cp1252.html": "fr",
        "latex-multicolumn.pdf": "la",
        "UDHR_first_article_all.txt": "und",
    }
    assert {name: languages[name] for name in known} == known


def test_cleaning() -> None:
    assert normalise("a\r\nb\rc\x00\u200b \n\n\n\nd") == "a\nb\nc\n\nd\n"
    assert unescaped(r"a\_b `c\_d`") == r"a_b `c\_d`"
    lines = ["The first line of this text is long enough to be full and", "the second one ends here."]
    page = "\n".join([*lines, "A Heading", "Another paragraph begins."])
    assert unwrapped(page).split("\n\n")[0].endswith("ends here.")
    pages = [
        f"Handbook\n{word} stands here.\nPage {n}" for n, word in enumerate(["one", "two", "three", "four", "five"])
    ]
    assert without_running_lines(pages)[2] == "three stands here."
    assert without_running_lines(["Page 1 of 9\na", "b", "c", "d"])[0] == "a"
    contents = f"{without_leaders('1 Bees . . . . . . . 3')}\n{without_leaders('2 Wasps.........12')}"
    assert unwrapped(contents) == "1 Bees … 3\n\n2 Wasps … 12"
    japanese = (
        "この文書は、プロジェクトの歴史と目標について述べるものであり、誰でも自由に読\nむことができます。\n1.1 起源"
    )
    assert (
        unwrapped(japanese)
        == "この文書は、プロジェクトの歴史と目標について述べるものであり、誰でも自由に読むことができます。\n\n1.1 起源"
    )
    headless = "|  |  |\n| --- | --- |\n|  |  |\n| Day | Opens |\n| Mon | 8:15 |\n"
    assert with_table_heads(headless) == "| Day | Opens |\n| --- | --- |\n| Mon | 8:15 |\n"
