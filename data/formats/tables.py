"""One row a pair, for spreadsheets (CSV) and data frames (Parquet)."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from data.jsonl import storage_error, whole_file
from doceo.core.records import Chunk, Pair

COLUMNS = ("id", "question", "answer", "kind", "difficulty", "topic", "document_id", "start", "end", "quote", "teacher")


def _row(pair: Pair) -> dict[str, str | int]:
    first = pair.evidence[0] if pair.evidence else None
    return {
        "id": pair.id,
        "question": pair.question,
        "answer": pair.answer,
        "kind": pair.kind,
        "difficulty": pair.difficulty,
        "topic": pair.topic,
        "document_id": first.span.document_id if first else "",
        "start": first.span.start if first else -1,
        "end": first.span.end if first else -1,
        "quote": first.quote if first else "",
        "teacher": pair.teacher,
    }


def write_csv(pairs: Sequence[Pair], chunks: Mapping[str, Chunk], path: Path) -> int:
    """Write a CSV file; a cell that a spreadsheet would run as a formula gets an apostrophe. Raises StorageError."""
    with whole_file(path) as out:
        writer = csv.DictWriter(out, COLUMNS)
        writer.writeheader()
        for pair in pairs:
            writer.writerow({key: _inert(value) for key, value in _row(pair).items()})
    return len(pairs)


def write_parquet(pairs: Sequence[Pair], chunks: Mapping[str, Chunk], path: Path) -> int:
    """Write a Parquet file. Raises StorageError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    temporary = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.Table.from_pylist([_row(pair) for pair in pairs]), temporary)
        temporary.replace(path)
    except OSError as error:
        raise storage_error(error, path) from error
    return len(pairs)


def _inert(value: str | int) -> str | int:
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t"} else value
