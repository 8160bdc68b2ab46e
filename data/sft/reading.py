"""The raw rows of a file, whatever holds them; a line that cannot be read is a problem, and the next one is read.

JSON lines, one JSON array, CSV and TSV, plain text, each also gzipped, and Parquet.
"""

from __future__ import annotations

import codecs
import gzip
import io
import json
import zlib
from collections.abc import Iterator
from pathlib import Path

from data.loaders.encodings import decoded
from data.loaders.loaded import Unreadable
from data.sft.drafts import Place, Problem, Raw, problem
from data.sft.tables import TABLES, parquet_rows, table_rows
from data.text_file import PLAIN, TextFile, document_kind, is_binary
from doceo.core.errors import InputError

LONGEST = 16 * 2**20
"""Most bytes of one line: a longer one is a file that lost its line ends."""
FILES = "JSONL, JSON, CSV, TSV, Parquet or plain text"
PIECE = 4000
"""Most characters of a row of a plain text file, which ends at a paragraph's end where it can."""
_USUAL = ("cp1250", "cp1251", "cp1252", "cp932", "euc_jp", "gb18030", "big5hkscs", "cp949", "koi8-r", "utf-16-le")
"""Encodings that a few bytes are worth guessing for."""
_ONE_OBJECT = "write one JSON object a line, in UTF-8"
_ONE_ARRAY = "write one JSON array of objects, or JSON lines"


def raw_rows(path: Path) -> Iterator[Raw]:
    """Yield the rows of a file. Raises InputError where the file is missing, is a folder or cannot be unpacked."""
    if path.is_dir():
        raise InputError(f"{path} is a folder.", hint=f"Name the files in it: {FILES}.")
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
        head = content.read(1024)
    if kind == ".parquet" or head.startswith(b"PAR1"):
        yield from parquet_rows(path)
        return
    _refuse_document(path, head)
    if kind in PLAIN:
        yield from _plain(path)
    elif head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or (head[:1] == b"\0") != (head[1:2] == b"\0"):
        # Rows begin with ASCII, every second byte of which is zero in UTF-16, with a mark before it or without.
        yield Place(1), Problem(1, "file", "is UTF-16", "save it as UTF-8")
    elif is_binary(head.decode("latin-1")):
        raise InputError(f"{path} is not text.", hint=f"Rows are {FILES}.")
    elif kind in TABLES:
        text = _text(path)
        yield from [(Place(text.line), text)] if isinstance(text, Problem) else table_rows(text, TABLES[kind])
    elif head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"["):
        yield from _array(path)
    else:
        yield from _lines(path)


def _refuse_document(path: Path, head: bytes) -> None:
    """Raise InputError for a PDF, an office file and the like, by its first bytes."""
    if kind := document_kind(head):
        hint = f"`doceo run` and `doceo ingest` read documents. Rows are {FILES}; save a table as CSV in UTF-8."
        raise InputError(f"{path} is {kind}, not a file of rows.", hint=hint)


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
