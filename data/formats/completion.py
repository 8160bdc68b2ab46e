"""Prompt and completion rows, as JSONL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from data.formats.provenance import provenance
from data.jsonl import write_jsonl
from doceo.core.records import Chunk, Pair


def write_completion(pairs: Sequence[Pair], chunks: Mapping[str, Chunk], path: Path) -> int:
    """Write prompt and completion rows. Raises StorageError."""
    return write_jsonl(path, ({"prompt": p.question, "completion": p.answer, "metadata": provenance(p)} for p in pairs))
