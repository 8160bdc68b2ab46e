"""Tables of scores without intervals, side by side, for a reader who has little room."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evaluation.table import MARKS, Cell, Table, number


def side_by_side(tables: Sequence[Table], width: int, gap: int = 2) -> Iterator[tuple[list[str], list[list[str]]]]:
    """Yield (headers, rows) of the values of tables of one set, as many columns at a time as `width` has room for.

    Args:
        tables: The tables.
        width: Characters of a line.
        gap: Characters between columns.
    """
    systems = list(dict.fromkeys(system for table in tables for system in table.systems))
    columns = [column for table in tables for column in _columns(table, systems)]
    names = ["system", *systems]
    while columns:
        shown, room = [names], width - _width(names)
        while columns and (len(shown) == 1 or _width(columns[0]) + gap <= room):
            room -= _width(columns[0]) + gap
            shown.append(columns.pop(0))
        headers, *rows = (list(row) for row in zip(*shown, strict=True))
        yield headers, rows


def _columns(table: Table, systems: Sequence[str]) -> Iterator[list[str]]:
    cells = dict(zip(table.systems, table.cells, strict=True))
    for at, label in enumerate(table.labels):
        yield [label, *(_text(cells[system][at]) if system in cells else "n/a" for system in systems)]


def _text(cell: Cell) -> str:
    if cell.score is None or cell.score.value is None:
        return "n/a"
    return f"{number(cell.score.value, cell.score.unit)} {MARKS[cell.direction]}".rstrip()


def _width(column: Sequence[str]) -> int:
    return max(map(len, column))
