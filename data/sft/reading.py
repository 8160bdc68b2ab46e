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
from collections.abc import Iterator, Sequence
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
_ONE_ARRAY = "write one JSON array of objects, or JSON lines"

Raw = tuple[Place, dict[str, object] | Problem]
"""Where a row stands, and the row or what is wrong there."""


def raw_rows(path: Path) -> Iterator[Raw]:
    """Yield the rows of a file. Raises InputError where the file is missing, is a folder or cannot be unpacked."""
    if path.is_dir():
        raise InputError(
            f"{path} is a folder.", hint="Name the files in it: JSONL, JSON, CSV, TSV, Parquet or plain text."
        )
    try:
        yield from _rows(path)
    except OSError as error:
        what = error.strerror or "its compressed data is damaged"
        raise InputError(
            f"{path} cannot be read: {what}.", hint="Check the path, its permissions, and that it was copied whole."
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
    elif kind in PLAIN:
        yield from _plain(path)
    elif head.startswith(b"PK\x03\x04"):
        raise InputError(
            f"{path} is a zip archive or an office file.", hint="Unpack it, or save its table as CSV in UTF-8."
        )
    elif head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or (head[:1] == b"\0") != (head[1:2] == b"\0"):
        # Rows begin with ASCII, every second byte of which is zero in UTF-16, with a mark before it or without.
        yield Place(1), Problem(1, "file", "is UTF-16", "save it as UTF-8")
    elif kind in _TABLES:
        yield from _table(path, _TABLES[kind])
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
        row = json.loads(line.decode("utf-8").rstrip())
    except UnicodeDecodeError as error:
        return problem(place, "line", f"is not UTF-8 (byte {error.start + 1})", f"save the file as UTF-8{_guess(line)}")
    except (ValueError, RecursionError) as error:
        return problem(place, "line", f"is not JSON: {_no_json(error)}", _cure(line, error))
    if not isinstance(row, dict):
        return problem(place, "line", f"is {_kind(row)}, not an object", _ONE_OBJECT)
    return row


def _no_json(error: ValueError | RecursionError) -> str:
    """Return why something is not JSON, as words."""
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg.removesuffix(' at')} at character {error.colno}"
    return "nested too deeply" if isinstance(error, RecursionError) else "a number of thousands of digits"


def _cure(line: bytes, error: ValueError | RecursionError) -> str:
    """Return how to repair a line that is not JSON."""
    if b"\r" in line.strip():
        return f"{_ONE_OBJECT}, and end lines with a line feed"
    if isinstance(error, json.JSONDecodeError) and error.msg.startswith("Invalid control character"):
        return "write tabs and line ends within a text as \\t and \\n"
    begun = line.strip() in (b"{", b"[") or line.rstrip().endswith((b"{", b"[", b","))
    return f"{_ONE_OBJECT}{' (this one runs over several lines)' if begun else ''}"


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
    except (ValueError, RecursionError) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        yield Place(line), Problem(line, "line", f"is not JSON: {_no_json(error)}", _ONE_ARRAY)
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
    lines = list(io.StringIO(text, newline=""))
    columns: list[str] = []
    for line, cells in _cells(lines, separator):
        place = Place(line)
        if isinstance(cells, str):
            yield place, problem(place, "row", f"is not CSV: {cells}", "check the double quotes there")
            if not columns:
                return
        elif not columns:
            columns = cells
            double = sorted({name for name in cells if name and cells.count(name) > 1})
            if double:
                yield place, problem(place, double[0], "is the name of two columns", "rename or remove one of them")
                return
        elif len(cells) == len(columns):
            yield place, dict(zip(columns, cells, strict=True))
        else:
            fix = "put cells that hold the separator or a line end in double quotes"
            yield place, problem(place, "row", "has not as many cells as the first line has columns", fix)


def _cells(lines: Sequence[str], separator: str) -> Iterator[tuple[int, list[str] | str]]:
    """Yield the number of a row's first line, which an editor shows, with its cells or what is wrong with it.

    A quote that is never closed takes the lines behind it along: reading goes on in the line below it.
    """
    start = 0
    while start < len(lines):
        reader = csv.reader((lines[n] for n in range(start, len(lines))), delimiter=separator, strict=True)
        begun = start
        try:
            for cells in reader:
                if cells:
                    yield begun + 1, cells
                begun = start + reader.line_num
            return
        except csv.Error as error:
            yield begun + 1, str(error)
            start = begun + 1
