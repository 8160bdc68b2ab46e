"""Datasets out and in, in the forms that trainers and tools read. Each writer and reader is imported on use.

A writer takes the pairs, the chunks by id, and the file to write, and returns the number of rows. A reader takes a
file and returns its pairs; what an export wrote comes back whole, with all evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any

from doceo.core.errors import InputError, UsageError
from doceo.core.records import Pair

Writer = Callable[..., int]
"""Called with (pairs, chunks by id, path); those of `NAMING` also take `sources`, document id -> name."""
Reader = Callable[[Path], list[Pair]]

FORMATS: dict[str, str] = {
    "openai": "data.formats.chat:write_openai",
    "sharegpt": "data.formats.chat:write_sharegpt",
    "alpaca": "data.formats.alpaca:write_alpaca",
    "completion": "data.formats.completion:write_completion",
    "csv": "data.formats.tables:write_csv",
    "parquet": "data.formats.tables:write_parquet",
    "beir": "data.formats.beir:write_beir",
    "quiz": "data.formats.quiz:write_quiz",
    "anki": "data.formats.anki:write_anki",
}
NAMING = ("quiz", "anki")
"""Formats for people, which name the documents."""
READERS: dict[str, str] = {
    "openai": "data.formats.chat:read_openai",
    "sharegpt": "data.formats.chat:read_sharegpt",
    "alpaca": "data.formats.alpaca:read_alpaca",
    "completion": "data.formats.completion:read_completion",
    "csv": "data.formats.tables:read_csv",
    "parquet": "data.formats.tables:read_parquet",
    "pairs": "data.formats.pairs:read_pairs",
}
_FIELDS = {
    "openai": {"messages"},
    "sharegpt": {"conversations"},
    "alpaca": {"instruction", "output"},
    "completion": {"prompt", "completion"},
}
"""Fields by which a row shows its format."""


def writer_of(name: str) -> Writer:
    """Return the writer of a format. Raises UsageError naming the nearest one."""
    writer: Writer = _load(name, FORMATS, "")
    return writer


def reader_of(name: str) -> Reader:
    """Return the reader of a format. Raises UsageError naming the nearest one, or those that can be read."""
    lost = " It holds too little to be read back." if name in FORMATS and name not in READERS else ""
    reader: Reader = _load(name, READERS, lost)
    return reader


def format_of(path: Path) -> str:
    """Return the format that a file's first row shows. Raises InputError where it is none that can be read."""
    from data.formats.rows import TABLES, placed_rows

    _, row = next(placed_rows(path), ("", None))
    if row is None:
        raise InputError(f"{path} holds no rows.", hint="There is nothing to import.")
    for name, fields in _FIELDS.items():
        if fields <= row.keys():
            return name
    if {"question", "answer"} <= {key.strip().lower() for key in row}:
        suffix = path.suffix.lower()
        return "csv" if suffix in TABLES else "parquet" if suffix == ".parquet" else "pairs"
    raise InputError(
        f"{path} is in no format that can be read: its rows have the fields {', '.join(sorted(row)[:12])}.",
        hint="Rows have question and answer, messages, conversations, instruction and output, prompt and completion.",
    )


def _load(name: str, table: dict[str, str], lost: str) -> Any:  # noqa: ANN401 - what the table names
    if name not in table:
        near: Sequence[str] = get_close_matches(name, table, 1)
        raise UsageError(
            f"There is no format {name!r}{' to import' if table is READERS else ''}.{lost}",
            hint=f"Did you mean {near[0]}?" if near else f"Formats: {', '.join(table)}.",
        )
    module, function = table[name].split(":")
    return getattr(import_module(module), function)
