"""A file of records that grows while work is done, so that a process that is killed loses only what was in flight."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError

from data.jsonl import R, storage_error


def grow(path: Path, records: Iterable[R]) -> None:
    """Add one record a line. Raises StorageError."""
    lines = "".join(record.model_dump_json() + "\n" for record in records)
    try:
        with path.open("ab") as out:
            out.write(lines.encode())
    except OSError as error:
        raise storage_error(error, path) from error


def read_grown(path: Path, kind: type[R]) -> list[R]:
    """Return the records of a file up to the first line that is not whole; none where there is no file."""
    records: list[R] = []
    try:
        lines = path.read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return records
    for line in lines:
        try:
            records.append(kind.model_validate_json(line))
        except ValidationError:
            break
    return records
