"""Rows of cells as Markdown that can be cut into passages: every table carries its header."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain

_PIECE = re.compile(r"[^\W\d_]{1,5}|\d{1,2}|[^\w\s]|_")
_MOST_PIECES = 200
"""Word pieces, roughly counted, of one table: a passage has at most 254."""
_LONG = 120
"""Characters from which a value is a paragraph of its own."""
_TITLES = frozenset({"title", "name", "question", "heading", "headline", "subject"})
_PROSE = frozenset({"text", "answer", "content", "body", "passage", "abstract"})
"""Keys whose values name a record, and keys whose values are its text."""
_NUMBER = re.compile(r"[-+]?[\d.,%€$£ ]+")


def rows_text(rows: Iterable[Sequence[str]], level: int = 2) -> str:
    """Return rows as Markdown; the first row is the header where it has the look of one, a title alone a caption.

    Rows are gathered into tables small enough for one passage, each with the header again, so that a passage never
    holds values without their names. A row too wide for that becomes a record. Rows may be ragged.

    Args:
        rows: Cells, row by row.
        level: Level of the headings over the tables and records; a table that is all there is has none.
    """
    cleaned = (tuple(map(_cell, row)) for row in rows)
    filled = (row for row in cleaned if any(row))
    first, second = next(filled, ()), next(filled, ())
    rest: Iterable[Sequence[str]] = chain((second,) if second else (), filled)
    captions: list[str] = []
    if _width(first) == 1 < _width(second):
        captions, first, rest = [first[0]], second, filled
    if not first:
        return ""
    header = first[: _width(first)]
    if not _is_header(header):
        header, rest = tuple(f"Column {n}" for n in range(1, len(header) + 1)), chain((first,), rest)
    blocks = list(_blocks(header, rest)) or [("", _head(header, len(header))[1])]
    alone = len(blocks) == 1 and blocks[0][1].startswith("|")
    mark = "#" * level
    return "\n\n".join((*captions, *(text if alone else f"{mark} {name}\n\n{text}" for name, text in blocks)))


def record(fields: Sequence[tuple[str, str]], number: int) -> tuple[str, str]:
    """Return (name, text) of a record of (key, value).

    It is called by its title or question, else by its first value in words, else by its number. What its name says
    already is left out of the text.
    """
    titles = [(key, value) for key, value in fields if key.lower() in _TITLES and 0 < len(value) <= _LONG]
    rest = [field for field in fields if field not in titles[:1]]
    if titles and (text := record_text(rest)):
        return " ".join(titles[0][1].split()), text
    short = [" ".join(value.split()) for _, value in fields if len(value) <= _LONG]
    worded = [value for value in short if re.search(r"[^\W\d_]", value)]
    name = next((value for value in worded if not re.search(r"\d", value)), (*worded, f"Record {number}")[0])
    return name, record_text(fields)


def record_text(fields: Iterable[tuple[str, str]]) -> str:
    """Return (key, value) as a list of "key: value"; a long value is a paragraph under its key, prose stands alone."""
    lines = []
    for key, value in fields:
        if not value.strip():
            continue
        if len(value) > _LONG or "\n" in value or key.lower() in _PROSE:
            label = f"{key}:\n\n" if key and key.lower() not in _PROSE else ""
            lines.append(f"\n{label}{value.strip()}\n")
        else:
            lines.append(f"- {key}: {value}" if key else value)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines).strip("\n"))


def _cell(value: str) -> str:
    return " ".join(value.split())


def _width(row: Sequence[str]) -> int:
    return max((i + 1 for i, cell in enumerate(row) if cell), default=0)


def _is_header(row: Sequence[str]) -> bool:
    named = [cell for cell in row if cell]
    return len(set(named)) == len(named) and not any(_NUMBER.fullmatch(cell) or len(cell) > 80 for cell in named)


def _blocks(header: tuple[str, ...], rows: Iterable[Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Yield (name, text) of tables and records of about a passage's size, in the order of the rows."""
    table: list[str] = []
    size = number = width = 0
    for number, row in enumerate(rows, 1):
        grown = max(len(header), _width(row), width if table else 0)
        names, top, overhead = _head(header, grown)
        line = _line([*row, *[""] * (grown - len(row))][:grown])
        cost = _pieces(line)
        fits = overhead + 3 * cost <= _MOST_PIECES
        if table and (not fits or size + cost > _MOST_PIECES or grown > width):
            yield _rows(number - len(table) + 1, number - 1), "\n".join(table)
            table = []
        if not fits:
            yield record(list(zip(names, row, strict=False)), number)
            continue
        if not table:
            table, size, width = [top], overhead, grown
        table.append(line)
        size += cost
    if table:
        yield _rows(number - len(table) + 2, number), "\n".join(table)


def _rows(first: int, last: int) -> str:
    return f"Row {first}" if first == last else f"Rows {first} to {last}"


@lru_cache(maxsize=64)
def _head(header: tuple[str, ...], width: int) -> tuple[tuple[str, ...], str, int]:
    """Return the names of so many columns, the two lines over a table of them, and their word pieces."""
    names = (*header, *(f"Column {n}" for n in range(len(header) + 1, width + 1)))
    top = f"{_line(names)}\n{_line(['---'] * width)}"
    return names, top, _pieces(top)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _pieces(line: str) -> int:
    return len(_PIECE.findall(line))
