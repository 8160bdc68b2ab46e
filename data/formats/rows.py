"""The rows of a file, whatever holds them: JSON lines, one JSON array, CSV, TSV or Parquet."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from data.jsonl import read_rows
from doceo.core.errors import InputError

R = TypeVar("R", bound=BaseModel)
Placed = tuple[str, dict[str, object]]
"""Where a row stands (`line 3`, `row 3`), and the row."""

TABLES = (".csv", ".tsv")


class AnyRow(BaseModel):
    """Base of the rows of anybody's file: other fields are let be. `metadata` may be what an export of ours wrote."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    metadata: dict[str, object] | None = None


def placed_rows(path: Path) -> Iterator[Placed]:
    """Yield every row of a file with its place. Raises InputError naming file and place."""
    if not path.is_file():
        raise InputError(f"There is no file {path}.", hint="Check the path; a folder cannot be imported.")
    suffix = path.suffix.lower()
    if suffix in TABLES:
        yield from _table(path)
    elif suffix == ".parquet" or _starts_with(path, b"PAR1"):
        yield from _parquet(path)
    elif _starts_with(path, b"["):
        yield from _array(path)
    else:
        yield from ((f"line {number}", row) for number, row in read_rows(path))


def as_row(kind: type[R], row: Mapping[str, object], path: Path, place: str, hint: str) -> R:
    """Return a row as a model. Raises InputError naming file, place and field."""
    try:
        return kind.model_validate(row)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise InputError(f"{path}, {place}: {field + ': ' if field else ''}{message}.", hint=hint) from error


def _starts_with(path: Path, mark: bytes) -> bool:
    with path.open("rb") as content:
        return content.read(64).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(mark)


def _array(path: Path) -> Iterator[Placed]:
    hint = "The file has to be one JSON array of objects, or one JSON object a line, in UTF-8."
    try:
        rows = json.loads(path.read_text(encoding="utf-8-sig"))
    except ValueError as error:  # JSON and UTF-8 errors are both ValueErrors
        raise InputError(f"{path}: not JSON ({error}).", hint=hint) from error
    for number, row in enumerate(rows, 1):
        if not isinstance(row, dict):
            raise InputError(f"{path}, row {number}: not a JSON object.", hint=hint)
        yield f"row {number}", row


def _table(path: Path) -> Iterator[Placed]:
    csv.field_size_limit(sys.maxsize)  # a cell may hold a whole passage
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            head = lines.readline()
            lines.seek(0)
            reader = csv.DictReader(lines, delimiter=max(",\t;", key=head.count), strict=True)
            for row in reader:
                place = f"line {reader.line_num}"
                if None in row or None in row.values():
                    raise InputError(
                        f"{path}, {place}: not as many cells as the first line has columns.",
                        hint="Put cells that hold the separator or a line end in double quotes.",
                    )
                yield place, dict(row)
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not UTF-8 ({error}).", hint="Save the table as UTF-8.") from error
    except csv.Error as error:
        raise InputError(
            f"{path}, after line {reader.line_num}: {error}.", hint="Check the double quotes there."
        ) from error


def _parquet(path: Path) -> Iterator[Placed]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches():
                for row in batch.to_pylist():
                    number += 1
                    yield f"row {number}", row
    except pa.ArrowException as error:
        raise InputError(f"{path}: not a Parquet file ({error}).", hint="Check that it was copied whole.") from error
