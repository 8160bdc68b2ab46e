"""Rows to a CSV file that a spreadsheet opens without running anything."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from data.jsonl import whole_file

# What a spreadsheet takes for a formula (OWASP, "CSV Injection"), and apostrophes that stood before it already.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> int:
    """Write a CSV file and return its number of rows; a cell that would be run as a formula gets an apostrophe.

    Raises StorageError.
    """
    count = 0
    with whole_file(path) as out:
        writer = csv.DictWriter(out, columns)
        writer.writeheader()
        for row in rows:
            writer.writerow({key: _inert(value) for key, value in row.items()})
            count += 1
    return count


def live(value: str) -> str:
    """Return what a cell of such a file says, without what stands before a formula."""
    return value[1:] if value.startswith("'") and _FORMULA.match(value) else value


def _inert(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value
