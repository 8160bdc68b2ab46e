"""Alpaca rows: instruction, input, output and the turns before, as one JSON array."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from data.formats.chat import own
from data.formats.provenance import Provenance, Row, Said, imported
from data.formats.rows import AnyRow, as_row, placed_rows
from data.jsonl import write_json
from doceo.core.records import Chunk, Message, Pair

HINT = 'A row looks like {"instruction": ..., "input": "", "output": ...}.'


class AlpacaRow(Row):
    """A row as LLaMA-Factory reads it: `history` holds (asked, answered) of the turns before."""

    instruction: str
    input: str = ""
    output: str
    history: tuple[tuple[str, str], ...] = ()
    metadata: Provenance


class _AnyAlpaca(AnyRow):
    instruction: Said
    input: str | None = ""
    output: Said
    history: tuple[tuple[str, str], ...] | None = ()


def write_alpaca(pairs: Sequence[Pair], chunks: Mapping[str, Chunk], path: Path) -> int:
    """Write Alpaca rows. Raises StorageError."""
    write_json(path, [_row(pair) for pair in pairs])
    return len(pairs)


def read_alpaca(path: Path) -> list[Pair]:
    """Read Alpaca rows, as one array or as lines; `input` follows the instruction. Raises InputError naming the row."""
    pairs = []
    for place, found in placed_rows(path):
        row = as_row(_AnyAlpaca, found, path, place, HINT)
        known = own(row.metadata, path, place)
        question = f"{row.instruction}\n\n{row.input}" if row.input else row.instruction
        turns = [
            turn
            for asked, answered in row.history or ()
            for turn in (Message(role="user", content=asked), Message(role="assistant", content=answered))
        ]
        make = known.pair if known else imported
        pairs.append(make(question, row.output, tuple(turns)))
    return pairs


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
