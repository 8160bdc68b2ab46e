"""What became of every file that was to be read, as a table: read or skipped, why, pages, words, language."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from doceo.core.records import Document, Skipped
from doceo.text.language import UNKNOWN, count_words


class Row(NamedTuple):
    """One file. `why` says why it was skipped, or what is worth knowing of one that was read; numbers are counts."""

    source: str
    outcome: Literal["read", "skipped"]
    why: str = ""
    pages: int = 0
    words: int = 0
    language: str = ""


def table(documents: Iterable[Document], skipped: Iterable[Skipped]) -> list[Row]:
    """Return a row for every file, sorted by source."""
    rows = [
        Row(
            source=document.source,
            outcome="read",
            why="; ".join(_notes(document.metadata)),
            pages=len(document.pages),
            words=count_words(document.text),
            language=document.metadata.get("language", UNKNOWN),
        )
        for document in documents
    ]
    rows += [Row(source=one.source, outcome="skipped", why=f"{one.reason}: {one.detail}") for one in skipped]
    return sorted(rows, key=lambda row: row.source)


def totals(rows: Sequence[Row]) -> str:
    """Return one line with the sums: files read, pages, words, languages; files skipped by reason."""
    read = [row for row in rows if row.outcome == "read"]
    skipped = [row for row in rows if row.outcome == "skipped"]
    pages, words = sum(row.pages for row in read), sum(row.words for row in read)
    line = f"{len(read):,} read ({f'{pages:,} pages, ' if pages else ''}{words:,} words"
    line += f"; {_counted(row.language for row in read)})" if read else ")"
    if skipped:
        line += f", {len(skipped):,} skipped ({_counted(row.why.partition(':')[0] for row in skipped)})"
    return line + "."


def _counted(names: Iterable[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in Counter(names).most_common())


def _notes(metadata: dict[str, str]) -> Iterable[str]:
    """Yield what is out of the ordinary about a document that was read."""
    if ending := metadata.get("read_as"):
        yield f"read as {ending}"
    if pages := metadata.get("scanned_pages"):
        yield f"scanned pages, which hold no text: {pages}"
    if lines := metadata.get("broken_lines"):
        yield f"broken lines left out: {lines}"
    if hidden := metadata.get("hidden"):
        yield f"hidden text left out: {hidden}"
    if names := metadata.get("hidden_flags"):
        yield f"hidden text gave instructions to a model ({names})"
    if (encoding := metadata.get("encoding", "utf-8")) not in ("utf-8", "utf-8-sig"):
        yield encoding
    if metadata.get("local"):
        yield "local"
