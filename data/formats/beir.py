"""A retrieval test set in BEIR's layout: corpus.jsonl, queries.jsonl, qrels/test.tsv in one folder.

It holds questions and passages, not answers, quotes or conversations: it cannot be read back as pairs. Left out are
pairs without an answer, follow-up questions (they mean nothing without the turns before) and pairs whose passages
the run does not have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import Field

from data.formats.provenance import Row
from data.jsonl import write_jsonl, write_text
from doceo.core.errors import InputError
from doceo.core.records import Chunk, Pair


class CorpusRow(Row):
    """A passage."""

    id: str = Field(serialization_alias="_id", pattern=r"^\S+$")
    title: str
    text: str = Field(min_length=1)


class QueryRow(Row):
    """A question."""

    id: str = Field(serialization_alias="_id", pattern=r"^\S+$")
    text: str = Field(min_length=1)


def write_beir(pairs: Sequence[Pair], chunks: Mapping[str, Chunk], path: Path) -> int:
    """Write the folder; a question's relevant passages are the chunks that its pair names.

    Raises InputError where there are no passages, StorageError.
    """
    if not chunks:
        raise InputError(
            "A retrieval test set needs passages, and this run has none.",
            hint="Pairs from `doceo import` have no documents; choose another --format.",
        )
    relevant = {p.id: [c for c in p.chunk_ids if c in chunks] for p in pairs if p.answerable and not p.history}
    asked = [pair for pair in pairs if relevant.get(pair.id)]
    corpus = (CorpusRow(id=c.id, title=" > ".join(c.heading_path), text=c.text) for c in chunks.values())
    write_jsonl(path / "corpus.jsonl", (row.model_dump(by_alias=True) for row in corpus))
    queries = (QueryRow(id=pair.id, text=pair.question) for pair in asked)
    write_jsonl(path / "queries.jsonl", (row.model_dump(by_alias=True) for row in queries))
    lines = ["query-id\tcorpus-id\tscore"]
    lines += [f"{pair.id}\t{chunk_id}\t1" for pair in asked for chunk_id in relevant[pair.id]]
    write_text(path / "qrels" / "test.tsv", "\n".join(lines) + "\n")
    return len(asked)
