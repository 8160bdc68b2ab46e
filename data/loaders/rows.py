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
_LONGEST_NAME = 80
_NUMBER = re.compile(r"[-+]?[\d.,%€$£ ]+")


def rows_text(rows: Iterable[Sequence[str]], level: int = 2) -> str:
    """Return rows as Markdown; the first row is the header where it has the look of one, a title alone a caption.

    Rows are gathered into tables small enough for one passage, each with the header again, so that a passage never
    holds values without their names. A row too wide for that becomes a record. Rows may be ragged.

    Args:
        rows: Cells, row by row.
        level: Level of the headings over the tables and records, where there is more than one; 0: none.
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
    mark = f"{'#' * level} " if level and len(blocks) > 1 else ""
    return "\n\n".join((*captions, *(f"{mark}{name}\n\n{text}" if mark else text for name, text in blocks)))


def record_text(fields: Iterable[tuple[str, str]]) -> str:
    """Return a record of (name, value) as a list of "name: value"; a long value is a paragraph under its name."""
    lines = []
    for name, value in fields:
        if not value.strip():
            continue
        if len(value) > _LONG or "\n" in value:
            lines.append(f"\n{name}:\n\n{value.strip()}\n" if name else value)
        else:
            lines.append(f"- {name}: {value}" if name else value)
    return "\n".join(lines).strip("\n")


def record_name(values: Iterable[str], number: int) -> str:
    """Return what a record can be called: its first short value in words, else one with letters, else its number."""
    short = [" ".join(value.split()) for value in values if len(value) <= _LONGEST_NAME]
    worded = [value for value in short if re.search(r"[^\W\d_]", value)]
    return next((value for value in worded if not re.search(r"\d", value)), (*worded, f"Record {number}")[0])


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
            yield record_name(row, number), record_text(zip(names, row, strict=False))
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
