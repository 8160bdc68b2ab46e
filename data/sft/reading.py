"""The raw rows of a file, whatever holds them; a line that cannot be read is a problem, and the next one is read.

JSON lines, one JSON array, CSV and TSV, plain text, each also gzipped, and Parquet.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

from data.formats.rows import placed_rows
from data.loaders.encodings import decoded
from data.loaders.loaded import Unreadable
from data.sft.drafts import Place, Problem, problem
from data.text_file import PLAIN, TextFile
from doceo.core.errors import InputError

LONGEST = 16 * 2**20
"""Most bytes of one line: a longer one is a file that lost its line ends."""
PIECE = 4000
"""Most characters of a row of a plain text file, which ends at a paragraph's end where it can."""
_TABLES = {".csv": ",", ".tsv": "\t"}
_USUAL = ("cp1250", "cp1251", "cp1252", "cp932", "euc_jp", "gb18030", "big5hkscs", "cp949", "koi8-r", "utf-16-le")
"""Encodings that a few bytes are worth guessing for."""
_ONE_OBJECT = "write one JSON object a line, in UTF-8"

Raw = tuple[Place, dict[str, object] | Problem]
"""Where a row stands, and the row or what is wrong there."""


def raw_rows(path: Path) -> Iterator[Raw]:
    """Yield the rows of a file. Raises InputError where the file is missing, is a folder or cannot be unpacked."""
    if path.is_dir():
        raise InputError(f"{path} is a folder.", hint="Name a file: JSONL, JSON, CSV, TSV, Parquet or plain text.")
    try:
        yield from _rows(path)
    except OSError as error:
        what = error.strerror or "its compressed data is damaged"
        raise InputError(
            f"{path} cannot be read: {what}.", hint="Check the path, and that it was copied whole."
        ) from error
    except (EOFError, zlib.error) as error:
        raise InputError(f"{path} is cut off or damaged.", hint="Copy or fetch it again.") from error


def kind_of(path: Path) -> str:
    """Return the ending that says how a file is read: that of the name, without `.gz`."""
    return Path(path.stem).suffix.lower() if path.suffix.lower() == ".gz" else path.suffix.lower()


def _rows(path: Path) -> Iterator[Raw]:
    kind = kind_of(path)
    with _open(path) as content:
        head = content.read(64)
    if kind == ".parquet" or head.startswith(b"PAR1"):
        yield from ((Place(n, "row"), row) for n, (_, row) in enumerate(placed_rows(path), 1))
    elif head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        yield Place(1), Problem(1, "file", "is UTF-16", "save it as UTF-8")
    elif kind in _TABLES:
        yield from _table(path, _TABLES[kind])
    elif kind in PLAIN:
        yield from _plain(path)
    elif head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"["):
        yield from _array(path)
    else:
        yield from _lines(path)


def _open(path: Path) -> gzip.GzipFile | io.BufferedReader:
    with path.open("rb") as content:
        packed = content.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else path.open("rb")


def _lines(path: Path) -> Iterator[Raw]:
    with _open(path) as content:
        number = 0
        while line := content.readline(LONGEST + 1):
            number += 1
            place = Place(number)
            if len(line) > LONGEST:
                while line and not line.endswith(b"\n"):
                    line = content.readline(LONGEST)
                yield (
                    place,
                    problem(place, "line", f"is longer than {LONGEST // 2**20} MB", "split it into several rows"),
                )
            elif line.strip() and line.strip() != codecs.BOM_UTF8:
                yield place, _parsed(place, line.removeprefix(codecs.BOM_UTF8) if number == 1 else line)


def _parsed(place: Place, line: bytes) -> dict[str, object] | Problem:
    try:
        row = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return problem(place, "line", f"is not UTF-8 (byte {error.start + 1})", f"save the file as UTF-8{_guess(line)}")
    except json.JSONDecodeError as error:
        what = f"is not JSON: {error.msg} at character {error.pos + 1}"
        begun = line.strip() in (b"{", b"[") or line.rstrip().endswith((b"{", b"[", b","))
        return problem(place, "line", what, f"{_ONE_OBJECT}{' (this one runs over several lines)' if begun else ''}")
    except (ValueError, RecursionError) as error:
        return problem(place, "line", f"is not JSON: {str(error)[:80]}", _ONE_OBJECT)
    if not isinstance(row, dict):
        return problem(place, "line", f"is {_kind(row)}, not an object", _ONE_OBJECT)
    return row


def _guess(content: bytes) -> str:
    """Return the encoding that bytes seem to be in, as words."""
    try:
        name = decoded(content)[1]
    except Unreadable:
        return ""
    return f"; it seems to be {name}" if name in _USUAL else ""


def _kind(value: object) -> str:
    names = {list: "a list", str: "a text", int: "a number", float: "a number", bool: "true or false"}
    return names.get(type(value), "null")


def _text(path: Path) -> str | Problem:
    with _open(path) as content:
        found = content.read()
    try:
        return found.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = found.count(b"\n", 0, error.start) + 1
        what = f"is not UTF-8 (byte {error.start + 1} of the file)"
        return Problem(line, "line", what, f"save the file as UTF-8{_guess(found)}")


def _array(path: Path) -> Iterator[Raw]:
    text = _text(path)
    if isinstance(text, Problem):
        yield Place(text.line), text
        return
    try:
        rows = json.loads(text)
    except json.JSONDecodeError as error:
        what = f"is not JSON: {error.msg} at character {error.colno}"
        yield Place(error.lineno), Problem(error.lineno, "line", what, "write one JSON array of objects, or JSON lines")
        return
    for number, row in enumerate(rows, 1):
        place = Place(number, "row")
        wrong = problem(place, "row", f"is {_kind(row)}, not an object", "write one JSON object for each row")
        yield place, row if isinstance(row, dict) else wrong


def _plain(path: Path) -> Iterator[Raw]:
    held: tuple[int, str] | None = None
    for line, piece in TextFile(path).pieces(PIECE):
        if piece.strip():
            if held:
                yield Place(held[0]), {"text": held[1], "continued": True}
            held = line, piece
    if held:
        yield Place(held[0]), {"text": held[1]}


def _table(path: Path, separator: str) -> Iterator[Raw]:
    text = _text(path)
    if isinstance(text, Problem):
        yield Place(text.line), text
        return
    csv.field_size_limit(sys.maxsize)  # a cell may hold a whole passage
    head = text.partition("\n")[0]
    separator = max(separator + ";,\t", key=head.count) if separator == "," else separator
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    ended = 1
    try:
        for row in reader:
            # The line on which the row begins, which is where an editor shows it.
            place, ended = Place(ended + 1), reader.line_num
            if None in row or None in row.values():
                fix = "put cells that hold the separator or a line end in double quotes"
                yield place, problem(place, "row", "has not as many cells as the first line has columns", fix)
            else:
                yield place, dict(row)
    except csv.Error as error:
        yield Place(ended + 1), Problem(ended + 1, "row", f"is not CSV: {error}", "check the double quotes there")
