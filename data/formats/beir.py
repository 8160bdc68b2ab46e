"""A retrieval test set in BEIR's layout: corpus.jsonl, queries.jsonl, qrels/test.tsv in one folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from data.jsonl import write_jsonl, write_text
from doceo.core.records import Chunk, Pair


def write_beir(pairs: Sequence[Pair], chunks: Mapping[str, Chunk], path: Path) -> int:
    """Write the folder; a question's relevant passages are the chunks that its pair names. Raises StorageError."""
    answerable = [pair for pair in pairs if pair.answerable]
    write_jsonl(
        path / "corpus.jsonl",
        ({"_id": c.id, "title": " > ".join(c.heading_path), "text": c.text} for c in chunks.values()),
    )
    write_jsonl(path / "queries.jsonl", ({"_id": pair.id, "text": pair.question} for pair in answerable))
    lines = ["query-id\tcorpus-id\tscore"]
    lines += [f"{pair.id}\t{chunk_id}\t1" for pair in answerable for chunk_id in pair.chunk_ids]
    write_text(path / "qrels" / "test.tsv", "\n".join(lines) + "\n")
    return len(answerable)
