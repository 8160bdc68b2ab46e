"""Alpaca rows: instruction, input, output and the turns before, as one JSON array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from data.formats.provenance import Provenance, Row
from data.jsonl import write_json
from doceo.core.records import Chunk, Message, Pair


class AlpacaRow(Row):
    """A row as LLaMA-Factory reads it: `history` holds (asked, answered) of the turns before."""

    instruction: str
    input: str = ""
    output: str
    history: tuple[tuple[str, str], ...] = ()
    metadata: Provenance


def write_alpaca(pairs: Sequence[Pair], chunks: Mapping[str, Chunk], path: Path) -> int:
    """Write Alpaca rows. Raises StorageError."""
    write_json(path, [_row(pair) for pair in pairs])
    return len(pairs)


def _row(pair: Pair) -> dict[str, object]:
    known = Provenance.of(pair, history=True)
    row = AlpacaRow(instruction=pair.question, output=pair.answer, history=_exchanges(pair.history), metadata=known)
    return row.model_dump(mode="json", exclude={"metadata"}) | {"metadata": known.fields()}


def _exchanges(history: Sequence[Message]) -> tuple[tuple[str, str], ...]:
    return tuple(
        (asked.content, answered.content)
        for asked, answered in pairwise(history)
        if (asked.role, answered.role) == ("user", "assistant")
    )
