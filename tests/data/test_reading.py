"""Sources, loaders and the process that opens files."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from data.cleaning import normalise, unescaped, unwrapped, without_running_lines
from data.reader import read_files
from data.sources import SourceFile, find_files
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
        ("a.pdf", b"no pdf at all", "damaged"),
        ("a.docx", b"no zip at all", "damaged"),
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


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("Grüße aus Köln, schöne Straße.".encode("cp1252") * 8, "Köln"),
        ("Привет, это русский текст для проверки.".encode("cp1251") * 8, "русский"),
        ("Grüße".encode("utf-16"), "Grüße"),
        ("\ufeffGrüße".encode(), "Grüße"),
    ],
)
def test_encodings_are_found(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    record = read_one(tmp_path / "a.txt")
    assert isinstance(record, Document)
    assert words in record.text
    assert record.metadata["encoding"]


def test_a_bomb_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.docx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("word/document.xml", b"0" * 3_000_000)
    record = read_one(tmp_path / "bomb.docx", ReadConfig(megabytes=2))
    assert isinstance(record, Skipped)
    assert record.reason == "too_large"


def test_a_file_that_takes_too_long_is_given_up_and_the_next_one_read(tmp_path: Path) -> None:
    (tmp_path / "slow.txt").write_text("text")
    (tmp_path / "next.txt").write_text("other text")
    files = [SourceFile(name, tmp_path / name) for name in ("slow.txt", "next.txt")]
    records = list(read_files(files[:1], ReadConfig(seconds=0.0001))) + list(read_files(files[1:], ReadConfig()))
    assert [r.reason if isinstance(r, Skipped) else r.source for r in records] == ["timeout", "next.txt"]


def test_every_bad_file_is_read_or_skipped_by_name(shared_data: Path) -> None:
    files = find_files([str(shared_data / "bad")])
    records = list(read_files(files, ReadConfig()))
    assert len(records) == len(files) == 28
    skipped = {r.source.split("/")[-1]: r.reason for r in records if isinstance(r, Skipped)}
    assert skipped["password.pdf"] == "password"
    assert skipped["encrypted-aes256-needs-password.pdf"] == "password"
    assert skipped["truncated.docx"] == "damaged"
    assert skipped["random.bin"] == "unsupported"
    assert "encrypted-owner-only.pdf" not in skipped
    assert "crashed" not in skipped.values()


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
    assert record.reason == "no_text"
    assert "doceo[ocr]" in record.detail


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
