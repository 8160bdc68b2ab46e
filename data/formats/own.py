"""Rows that an export of ours wrote, or a run keeps, told by fields that no other row has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypeVar

from pydantic import BaseModel

from data.csv_file import live
from data.formats.provenance import Provenance
from data.formats.tables import NESTED, TableRow
from doceo.core.records import Pair

F = TypeVar("F", bound=BaseModel)

_RECORD = {"id", "question", "answer", "teacher"}
_TABLE = {"id", "teacher", "quote", *NESTED}


def own_pair(row: Mapping[str, object]) -> Pair | None:
    """Return the pair of a row that holds one whole: of a table, or of `pairs.jsonl`; None for any other row.

    Raises ValueError, of which pydantic's ValidationError is one, where such a row was changed since.
    """
    if not row.keys() >= _RECORD:
        return None
    return _sound(TableRow.model_validate(_cells(row)).pair() if row.keys() >= _TABLE else Pair.model_validate(row))


def own_provenance(row: Mapping[str, object]) -> Provenance | None:
    """Return what a row's `metadata` says of its pair; None for a row that no export of ours wrote. Raises as above."""
    metadata = row.get("metadata")
    if not isinstance(metadata, Mapping) or not metadata.keys() >= {"pair_id", "teacher"}:
        return None
    return _sound(Provenance.model_validate(metadata))


def _sound(found: F) -> F:
    """Return a model. Raises ValueError where it holds what no file of JSON in UTF-8 can keep."""
    for name, value in found.model_dump().items():
        try:
            json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"{name} holds half of a surrogate pair") from error
        except ValueError as error:
            raise ValueError(f"{name} holds what is no number") from error
    return found


def _cells(row: Mapping[str, object]) -> dict[str, object]:
    """Return the values of a table's row; of CSV, JSON is read and what stands before formulas is taken off."""
    if not isinstance(row["evidence"], str):
        return dict(row)
    cells: dict[str, object] = {name: live(value) if isinstance(value, str) else value for name, value in row.items()}
    for name in NESTED:
        try:
            cells[name] = json.loads(str(row[name]))
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{name} is not JSON") from error
    return cells
