"""Texts to train on, as one stream: files, folders and globs of .txt and .jsonl, gzipped or not, of any size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from data.sources import STDIN, SourceFile, find_files
from data.text_file import PIECE, PLAIN, ROWS, TextFile, parsed_row, plain_line_ends, row_places
from doceo.core.errors import InputError, NothingReadable

CLEAN_MARK, DROPPED = "report.json", "dropped.jsonl"
"""Files that `doceo clean` writes beside the texts; the second is no text to train on."""
_MODEL_MARKS = ("tokenizer_config.json", "adapter_config.json")
"""Files that mark a folder as a tokenizer's or a model's, whose card, log and merges are no text to train on."""


class Text(NamedTuple):
    """A text, or a piece of a long one. `line` is the number of its first line, or of its row, in the source."""

    source: str
    text: str
    line: int = 1


def read_texts(
    sources: Sequence[Path | str], *, fields: Sequence[str] = ("text",), piece: int = PIECE
) -> Iterator[Text]:
    """Yield the texts of all sources, sorted by name, in memory that does not grow with them.

    A plain file is one text, a long one several pieces that are cut at paragraph borders and join to the whole. A
    file of JSON Lines gives one text a row: the named fields, or the contents of its `messages`, a blank line between
    them. Line ends become line feeds; encodings are found (see `data.loaders.encodings`). What is blank is left out.

    Args:
        sources: Files, folders (searched to any depth for the known endings), globs, `-` for stdin.
        fields: Fields of a row that hold text.
        piece: Most characters of a piece of a plain file.

    Raises:
        InputError: A source does not exist, a file is not text, or a row is not JSON or has none of the fields.
        NothingReadable: No source holds a text file.
        UsageError: Two sources have the same last name.
    """
    for file in find_texts(sources):
        reader = TextFile(file.path)
        found = _rows(reader, fields) if reader.is_rows else reader.pieces(piece)
        for line, text in found:
            if text and not text.isspace():
                yield Text(file.source, text, line)


def find_texts(sources: Sequence[Path | str]) -> list[SourceFile]:
    """Return the files to read texts from, sorted by name: every named one, and those of a folder that are text.

    What stands in the folder of a tokenizer or a model is read only where it is named.

    Raises InputError, NothingReadable and UsageError as `read_texts`.
    """
    given = [str(source) for source in sources]
    named = {Path(source).expanduser().resolve() for source in given}
    piped = STDIN in given
    files = [
        file
        for file in find_files(given)
        if _is_text(file.path) or file.path.resolve() in named or (piped and file.source == "stdin")
    ]
    if not files:
        raise NothingReadable(
            f"There is no text file in {', '.join(given)}.",
            hint=f"Texts end in {', '.join((*PLAIN, *ROWS))}, or one of these and .gz. doceo ingest reads documents.",
        )
    return files


def _is_text(path: Path) -> bool:
    if path.name == DROPPED and (path.parent / CLEAN_MARK).exists():
        return False
    if not path.name.lower().removesuffix(".gz").endswith((*PLAIN, *ROWS)):
        return False
    return not any((path.parent / mark).exists() for mark in _MODEL_MARKS)


def _rows(file: TextFile, fields: Sequence[str]) -> Iterator[tuple[int, str]]:
    for number, line in file.lines():
        if not line.strip():
            continue
        try:
            places = row_places(parsed_row(line), fields)
            yield number, "\n\n".join(plain_line_ends(place[key]) for place, key in places)
        except ValueError as error:
            raise InputError(
                f"{file.path}, line {number}: {error}.",
                hint="Name the fields that hold text with --fields, or mend the row; doceo clean leaves it out.",
            ) from error
