"""Records to lines and back; files that are either whole or absent."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TypeVar

from pydantic import BaseModel, ValidationError

from doceo.core import lease
from doceo.core.errors import InputError, StorageError

_ENCODE = json.JSONEncoder(ensure_ascii=False).encode
_DAMAGED = "The file was changed or cut off; make its stage again with --fresh."

R = TypeVar("R", bound=BaseModel)


def storage_error(error: OSError, path: Path) -> StorageError:
    """Return what an OSError means for somebody who wants a file written."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
        return StorageError(
            f"The disk is full while writing {path}.",
            hint="Free some space and run the same command again; finished work is kept.",
        )
    return StorageError(
        f"Cannot write {path}: {error.strerror or error}.", hint="Check that the folder exists and is yours to write."
    )


@contextmanager
def whole_file(path: Path) -> Iterator[IO[str]]:
    """Open a text file for writing that appears under its name only when it is complete. Raises StorageError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("w", encoding="utf-8", newline="\n") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        lease.check()
        temporary.replace(path)
    except OSError as error:
        raise storage_error(error, path) from error
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a whole text file. Raises StorageError."""
    with whole_file(path) as out:
        out.write(text)


def write_json(path: Path, value: object) -> None:
    """Write one JSON value, indented. Raises StorageError."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def write_jsonl(path: Path, records: Iterable[BaseModel | dict[str, object]]) -> int:
    """Write one record a line and return how many. Raises StorageError."""
    count = 0
    with whole_file(path) as out:
        for record in records:
            value = record.model_dump(mode="json") if isinstance(record, BaseModel) else record
            out.write(_ENCODE(value) + "\n")
            count += 1
    return count


def read_jsonl(path: Path, kind: type[R]) -> list[R]:
    """Read a file of one record a line. Raises InputError naming the file and the line."""
    records: list[R] = []
    number = 0
    try:
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                number += 1
                if line.strip():
                    records.append(kind.model_validate_json(line))
    except FileNotFoundError as error:
        raise InputError(f"There is no file {path}.", hint="Make the stage that writes it first.") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"{path}, line {number}: {place or kind.__name__}: {first['msg']}.",
            hint=_DAMAGED,
        ) from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}, after line {number}: not UTF-8.", hint=_DAMAGED) from error
    return records


def read_json(path: Path) -> object:
    """Read a file of one JSON value. Raises InputError naming the file."""
    try:
        value: object = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # JSON and UTF-8 errors are both ValueErrors
        raise InputError(f"{path}: not JSON ({error}).", hint=_DAMAGED) from error
    return value


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, object]]]:
    """Yield (line number, row) of a JSONL file of any shape. Raises InputError naming file and line."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            except ValueError as error:  # JSON and UTF-8 errors are both ValueErrors
                raise InputError(
                    f"{path}, line {number}: not JSON ({error}).", hint="Every line has to be one JSON object in UTF-8."
                ) from error
            if not isinstance(row, dict):
                raise InputError(f"{path}, line {number}: not a JSON object.", hint="Every line has to be one object.")
            yield number, row
