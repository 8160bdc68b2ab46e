"""Alpaca rows: instruction, input, output, as one JSON array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from data.formats.provenance import provenance
from data.jsonl import write_json
from doceo.core.records import Chunk, Pair


def write_alpaca(pairs: Sequence[Pair], chunks: Mapping[str, Chunk], path: Path) -> int:
    """Write Alpaca rows. Raises StorageError."""
    rows = [{"instruction": p.question, "input": "", "output": p.answer, "metadata": provenance(p)} for p in pairs]
    write_json(path, rows)
    return len(rows)
