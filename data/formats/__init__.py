"""Datasets out, in the forms that trainers and tools read, and the rows of these forms back. Writers load on use.

A writer takes the pairs, the chunks by id, and the file to write, and returns the number of rows. `own` tells the rows
that an export wrote, so that they come back whole, with all evidence; `data.sft` reads those of anybody else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from difflib import get_close_matches
from importlib import import_module

from doceo.core.errors import UsageError

Writer = Callable[..., int]
"""Called with (pairs, chunks by id, path); those of `NAMING` also take `sources`, document id -> name."""

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


def writer_of(name: str) -> Writer:
    """Return the writer of a format. Raises UsageError naming the nearest one."""
    if name not in FORMATS:
        near: Sequence[str] = get_close_matches(name, FORMATS, 1)
        raise UsageError(
            f"There is no format {name!r}.",
            hint=f"Did you mean {near[0]}?" if near else f"Formats: {', '.join(FORMATS)}.",
        )
    module, function = FORMATS[name].split(":")
    writer: Writer = getattr(import_module(module), function)
    return writer
