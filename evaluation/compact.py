"""Tables for a reader who has little room: scores without intervals side by side, and wide tables in parts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from evaluation.table import MARKS, Cell, Table, number

LONGEST_NAME, LONGEST_KEY = 16, 28
"""Characters at which the heads of columns, and the keys of rows, go on in the next line."""
_JOINT = re.compile(r"(?<=[\s/:,-])|(?=[@+(])")
Part = tuple[list[str], list[list[str]]]
"""(headers, rows)"""


def side_by_side(tables: Sequence[Table], width: int, asked: int, gap: int = 2) -> Iterator[Part]:
    """Yield (headers, rows) of the values of tables of one set, as many columns at a time as `width` has room for.

    Args:
        tables: The tables.
        width: Characters of a line.
        asked: Questions of the set: a number that rests on others says so, as `100.0 (n=5)`, or its column does.
        gap: Characters between columns.
    """
    systems = list(dict.fromkeys(system for table in tables for system in table.systems))
    columns = [column for table in tables for column in _columns(table, systems, asked)]
    yield from _packed([["system", *systems]], columns, width, gap)


def in_parts(headers: Sequence[str], rows: Sequence[Sequence[str]], keys: int, width: int, gap: int = 2) -> list[Part]:
    """Return a table as tables of as many of its columns as `width` has room for, each with the first `keys` of them.

    Long names and keys are folded; cells may have several lines.
    """
    heads = [*headers[:keys], *(_folded(head, LONGEST_NAME) for head in headers[keys:])]
    folded = [[_folded(row[0], LONGEST_KEY), *row[1:]] for row in rows]
    columns = [list(column) for column in zip(heads, *folded, strict=True)]
    return list(_packed(columns[:keys], columns[keys:], width, gap))


def _folded(text: str, width: int) -> str:
    """Return a text in lines of at most so many characters, broken where a name or a path has a joint if it can be."""
    lines = [""]
    for piece in _JOINT.split(text):
        if lines[-1] and len(lines[-1]) + len(piece.rstrip()) > width:
            lines.append("")
        lines[-1] += piece
        while len(lines[-1].rstrip()) > width:
            lines[-1:] = [lines[-1][:width], lines[-1][width:]]
    return "\n".join(line.rstrip() for line in lines)


def _packed(fixed: Sequence[list[str]], columns: Sequence[list[str]], width: int, gap: int) -> Iterator[Part]:
    left = list(columns)
    while left:
        room = width - sum(map(_width, fixed)) - gap * (len(fixed) - 1) - gap - _width(left[0])
        taken = 1
        while taken < len(left) and _width(left[taken]) + gap <= room:
            room -= _width(left[taken]) + gap
            taken += 1
        headers, *rows = (list(row) for row in zip(*fixed, *left[:taken], strict=True))
        yield headers, rows
        left = left[taken:]


def _columns(table: Table, systems: Sequence[str], asked: int) -> Iterator[list[str]]:
    cells = dict(zip(table.systems, table.cells, strict=True))
    for at, (head, n) in enumerate(zip(table.heads(asked), table.counts, strict=True)):
        yield [head, *(_text(cells[system][at], n) if system in cells else "n/a" for system in systems)]


def _text(cell: Cell, n: int) -> str:
    if cell.score is None or cell.score.value is None:
        return "n/a"
    return f"{number(cell.score.value, cell.score.unit)} {MARKS[cell.direction]}".rstrip() + cell.rests_on(n)


def _width(column: Sequence[str]) -> int:
    return max(len(line) for text in column for line in text.split("\n"))
