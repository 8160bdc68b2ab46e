"""The rows of tables: CSV, TSV and Parquet."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from data.sft.drafts import Place, Problem, Raw, problem
from doceo.core.errors import InputError

TABLES = {".csv": ",", ".tsv": "\t"}
"""Endings of tables of text with what separates their cells."""


def table_rows(text: str, separator: str) -> Iterator[Raw]:
    """Yield the rows of a table, and what is wrong with the others; a comma gives way to what the first line shows."""
    csv.field_size_limit(sys.maxsize)  # a cell may hold a whole passage
    head = text.partition("\n")[0]
    separator = max(separator + ";,\t", key=head.count) if separator == "," else separator
    columns: list[str] = []
    for line, cells in _cells(list(io.StringIO(text, newline="")), separator):
        place = Place(line)
        if isinstance(cells, str):
            yield place, problem(place, "row", f"is not CSV: {cells}", "check the double quotes there")
            if not columns:
                return
        elif not columns:
            columns = cells
            if wrong := _double(place, columns):
                yield place, wrong
                return
        elif len(cells) == len(columns):
            yield place, dict(zip(columns, cells, strict=True))
        else:
            fix = "put cells that hold the separator or a line end in double quotes"
            yield place, problem(place, "row", "has not as many cells as the first line has columns", fix)


def parquet_rows(path: Path) -> Iterator[Raw]:
    """Yield the rows of a Parquet file. Raises InputError where it is none, or is damaged."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            if wrong := _double(Place(1, "row"), file.schema_arrow.names):
                yield Place(1, "row"), wrong
                return
            for batch in file.iter_batches():
                for row in batch.to_pylist():
                    number += 1
                    yield Place(number, "row"), row
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise InputError(f"{path}: not a Parquet file ({error}).", hint="Check that it was copied whole.") from error


def _double(place: Place, columns: Sequence[str]) -> Problem | None:
    double = sorted({name for name in columns if name and columns.count(name) > 1})
    fix = "rename or remove one of them"
    return problem(place, double[0], "is the name of two columns", fix) if double else None


def _cells(lines: Sequence[str], separator: str) -> Iterator[tuple[int, list[str] | str]]:
    """Yield the number of a row's first line, which an editor shows, with its cells or what is wrong with it.

    A quote that is never closed takes the lines behind it along: reading goes on in the line below it.
    """
    start = 0
    while start < len(lines):
        reader = csv.reader((lines[n] for n in range(start, len(lines))), delimiter=separator, strict=True)
        begun = start
        try:
            for cells in reader:
                if cells:
                    yield begun + 1, cells
                begun = start + reader.line_num
            return
        except csv.Error as error:
            yield begun + 1, str(error)
            start = begun + 1
