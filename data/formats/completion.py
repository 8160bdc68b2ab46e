"""Prompt and completion rows, as JSONL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from data.formats.provenance import Provenance, Row
from data.jsonl import write_jsonl
from doceo.core.records import Chunk, Pair


class CompletionRow(Row):
    """A row for a trainer of plain text. A follow-up question has the turns before it in its prompt."""

    prompt: str
    completion: str
    metadata: Provenance


def write_completion(pairs: Sequence[Pair], chunks: Mapping[str, Chunk], path: Path) -> int:
    """Write prompt and completion rows. Raises StorageError."""
    return write_jsonl(path, (_row(pair) for pair in pairs))


def _row(pair: Pair) -> dict[str, object]:
    prompt = pair.question
    if pair.history:
        turns = [f"{message.role.capitalize()}: {message.content}" for message in pair.history]
        prompt = "\n".join([*turns, f"User: {pair.question}", "Assistant:"])
    known = Provenance.of(pair, history=True, question=bool(pair.history))
    row = CompletionRow(prompt=prompt, completion=pair.answer, metadata=known)
    return {"prompt": row.prompt, "completion": row.completion, "metadata": known.fields()}
