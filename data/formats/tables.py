"""One row a pair, for spreadsheets (CSV) and data frames (Parquet).

The first columns are for readers: the first evidence stands in cells of its own. The later ones hold everything:
as JSON in CSV, as nested columns in Parquet.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import Field

from data.csv_file import write_rows
from data.formats.provenance import Row
from data.jsonl import storage_error
from doceo.core import lease
from doceo.core.records import Chunk, Difficulty, Evidence, Kind, Message, Pair

if TYPE_CHECKING:
    import pyarrow as pa

NESTED = ("evidence", "history", "chunk_ids", "scores")
"""Columns that hold more than one value: JSON in CSV."""


class Score(Row):
    """One score of a pair."""

    name: str
    value: float


class TableRow(Row):
    """A pair as a row; `document_id`, `start`, `end` and `quote` repeat its first evidence (start -1: it has none)."""

    id: str
    question: str
    answer: str
    kind: Kind
    difficulty: Difficulty
    topic: str
    document_id: str
    start: int = Field(ge=-1)
    end: int = Field(ge=-1)
    quote: str
    teacher: str
    answerable: bool
    language: str
    rationale: str
    evidence: tuple[Evidence, ...]
    history: tuple[Message, ...]
    chunk_ids: tuple[str, ...]
    scores: tuple[Score, ...]
    prompt_hash: str
    round: int

    @classmethod
    def of(cls, pair: Pair) -> TableRow:
        """Return a pair's row."""
        first = pair.evidence[0] if pair.evidence else None
        values = pair.model_dump(exclude={"scores"})
        return cls(
            document_id=first.span.document_id if first else "",
            start=first.span.start if first else -1,
            end=first.span.end if first else -1,
            quote=first.quote if first else "",
            scores=tuple(Score(name=name, value=value) for name, value in pair.scores.items()),
            **values,
        )

    def pair(self) -> Pair:
        """Return the row's pair."""
        values = self.model_dump(exclude={"document_id", "start", "end", "quote", "scores"})
        return Pair(scores={score.name: score.value for score in self.scores}, **values)


def write_csv(pairs: Sequence[Pair], chunks: Mapping[str, Chunk], path: Path) -> int:
    """Write a CSV file; a cell that a spreadsheet would run as a formula gets an apostrophe. Raises StorageError."""
    rows = (TableRow.of(pair).model_dump(mode="json") for pair in pairs)
    flat = ({k: json.dumps(v, ensure_ascii=False) if k in NESTED else v for k, v in row.items()} for row in rows)
    return write_rows(path, list(TableRow.model_fields), flat)


def write_parquet(pairs: Sequence[Pair], chunks: Mapping[str, Chunk], path: Path) -> int:
    """Write a Parquet file. Raises StorageError."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    temporary = path.with_name(f".{path.name}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        rows = [TableRow.of(pair).model_dump(mode="json") for pair in pairs]
        pq.write_table(pa.Table.from_pylist(rows, schema=_schema()), temporary)
        lease.check()
        temporary.replace(path)
    except OSError as error:
        raise storage_error(error, path) from error
    finally:
        temporary.unlink(missing_ok=True)
    return len(pairs)


def _schema() -> pa.Schema:
    import pyarrow as pa

    text, number = pa.string(), pa.int64()
    span = pa.struct({"document_id": text, "start": number, "end": number})
    types = dict.fromkeys(TableRow.model_fields, text) | {
        "start": number,
        "end": number,
        "answerable": pa.bool_(),
        "evidence": pa.list_(pa.struct({"span": span, "quote": text})),
        "history": pa.list_(pa.struct({"role": text, "content": text})),
        "chunk_ids": pa.list_(text),
        "scores": pa.list_(pa.struct({"name": text, "value": pa.float64()})),
        "round": number,
    }
    return pa.schema(list(types.items()))
