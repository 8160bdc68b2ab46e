"""Datasets out, in the forms that trainers and tools read. `FORMATS` names each writer; it is imported on use.

A writer takes the accepted pairs, the chunks by id, and the file to write, and returns the number of rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

from doceo.core.errors import UsageError
from doceo.core.records import Chunk, Pair

Writer = Callable[[Sequence[Pair], Mapping[str, Chunk], Path], int]

FORMATS: dict[str, str] = {
    "openai": "data.formats.chat:write_openai",
    "sharegpt": "data.formats.chat:write_sharegpt",
    "alpaca": "data.formats.alpaca:write_alpaca",
    "completion": "data.formats.completion:write_completion",
    "csv": "data.formats.tables:write_csv",
    "parquet": "data.formats.tables:write_parquet",
    "beir": "data.formats.beir:write_beir",
}


def writer_of(name: str) -> Writer:
    """Return the writer of a format. Raises UsageError naming the nearest one."""
    if name not in FORMATS:
        near = get_close_matches(name, FORMATS, 1)
        raise UsageError(
            f"There is no format {name!r}.",
            hint=f"Did you mean {near[0]}?" if near else f"Formats: {', '.join(FORMATS)}.",
        )
    module, function = FORMATS[name].split(":")
    writer: Writer = getattr(import_module(module), function)
    return writer
