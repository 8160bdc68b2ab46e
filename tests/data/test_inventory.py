"""The table of what was read: a row for every file, and sums."""

from __future__ import annotations

from data.inventory import Row, table, totals
from doceo.core.records import Document, Skipped


def document(source: str, text: str, pages: tuple[int, ...] = (), **metadata: str) -> Document:
    return Document(
        id=Document.identify(text), source=source, media_type="text/plain", title=source, text=text, sha256="",
        pages=pages, metadata=metadata,
    )  # fmt: skip


def test_a_row_for_every_file_and_one_line_of_sums() -> None:
    documents = [
        document("b.pdf", "The pool is long.", (0, 8), language="en", scanned_pages="1"),
        document("d.docx", "人人生而自由。", language="zh", read_as=".txt", encoding="gb18030", local="true"),
    ]
    skipped = [Skipped(source="a.pdf", reason="scanned", detail="no text"), Skipped(source="c.txt", reason="empty")]
    rows = table(documents, skipped)
    assert rows == [
        Row("a.pdf", "skipped", "scanned: no text"),
        Row("b.pdf", "read", "scanned pages, which hold no text: 1", 2, 4, "en"),
        Row("c.txt", "skipped", "empty: "),
        Row("d.docx", "read", "read as .txt; gb18030; local", 0, 6, "zh"),
    ]
    assert totals(rows) == "2 read (2 pages, 10 words; en 1, zh 1), 2 skipped (scanned 1, empty 1)."
    assert totals(rows[:1]) == "0 read (0 words), 1 skipped (scanned 1)."
