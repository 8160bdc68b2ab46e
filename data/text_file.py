"""One text file of any size and encoding, plain or gzipped, read in one pass and in little memory."""

from __future__ import annotations

import codecs
import gzip
import io
import json
import re
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

from data.loaders.encodings import decoded
from data.loaders.loaded import Unreadable
from doceo.core.errors import InputError

PIECE = 1 << 20
"""Most characters of one piece of a plain text."""
ROWS = (".jsonl", ".ndjson")
"""Endings of files of one JSON object a line."""
PLAIN = (".txt", ".text", ".md", ".markdown", ".log")
"""Endings of files that are one plain text."""
_BLOCK = 1 << 20
_CONTROL = re.compile(r"[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_MOST_CONTROL, _MOST_ZEROS = 0.02, 0.3
"""Shares of the first block from which it is no text; some programs pad texts with zeros."""
_DOCUMENTS = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "a zip archive or an office file",
    b"\xd0\xcf\x11\xe0": "an old office file",
    b"{\\rtf": "an RTF file",
}
_DAMAGED = "utf-8, damaged"
_MENDED = "Mend or remove the file; doceo clean leaves out what cannot be read, and says so."


class TextFile:
    """A file to read texts from.

    Attributes:
        encoding: Name of the encoding; certain once the file is read.
        size: Bytes read until now, unpacked.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.packed = path.name.lower().endswith(".gz")
        self.is_rows = path.name.lower().removesuffix(".gz").endswith(ROWS)
        self.encoding = "utf-8"
        self.size = 0

    def pieces(self, most: int = PIECE) -> Iterator[tuple[int, str]]:
        """Yield (number of the first line, text): pieces of at most so many characters that join to the whole.

        A piece ends at a blank line where its second half has one, else at a line's end, else at a blank.
        Raises InputError where the file cannot be read or is not text.
        """
        line, held = 1, ""
        for block in self._blocks():
            held += block
            while len(held) > most:
                at = _border(held, most)
                yield line, held[:at]
                line += held.count("\n", 0, at)
                held = held[at:]
        if held:
            yield line, held

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield (number, line without its end). Raises InputError where the file cannot be read or is not text."""
        number, held = 1, ""
        for block in self._blocks():
            *whole, held = (held + block).split("\n")
            for line in whole:
                yield number, line
                number += 1
        if held:
            yield number, held

    def _blocks(self) -> Iterator[str]:
        """Yield the file's characters in order, every line end as a line feed."""
        newlines = io.IncrementalNewlineDecoder(None, translate=True)
        decoder: codecs.IncrementalDecoder = codecs.getincrementaldecoder("utf-8")("strict")
        known = False
        for block in self._bytes():
            if self.size == len(block) and (kind := document_kind(block)):
                raise InputError(
                    f"{self.path} is {kind}, not text; doceo ingest reads documents.",
                    hint="doceo ingest FILE --out RUN writes their texts to RUN/1-documents/documents.jsonl.",
                )
            if not known and (not block.isascii() or b"\0" in block):
                known = True
                self.encoding = self._detected(block)
                decoder = codecs.getincrementaldecoder(self.encoding.partition(",")[0])("replace")
            text = decoder.decode(block)
            if self.size == len(block) and is_binary(text):
                raise InputError(f"{self.path} is not text.", hint=_MENDED)
            if self.encoding == "utf-8" and "\ufffd" in text and b"\xef\xbf\xbd" not in block:
                self.encoding = _DAMAGED
            yield newlines.decode(text.replace("\0", " "))
        yield newlines.decode(decoder.decode(b"", True), True)

    def _bytes(self) -> Iterator[bytes]:
        try:
            with self._open() as file:
                while block := file.read(_BLOCK):
                    self.size += len(block)
                    yield block
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise InputError(f"{self.path} is not a whole gzip file ({error}).", hint=_MENDED) from error
        except OSError as error:
            raise InputError(
                f"{self.path} cannot be read: {error.strerror or error}.", hint="Check its permissions."
            ) from error

    def _open(self) -> gzip.GzipFile | io.BufferedReader:
        return gzip.open(self.path) if self.packed else self.path.open("rb")

    def _detected(self, block: bytes) -> str:
        """Return the encoding of the first block that is not plain ASCII."""
        if b"\0" not in block and not block.startswith(codecs.BOM_UTF8) and _is_utf8(block):
            return "utf-8"
        try:
            return decoded(block)[1]
        except Unreadable as error:
            raise InputError(f"{self.path} is not text: {error.detail}.", hint=_MENDED) from error


def document_kind(head: bytes) -> str:
    """Return what kind of document that is no text a file's first bytes show, in words; "" for any other file."""
    return next((kind for mark, kind in _DOCUMENTS.items() if head.lstrip().startswith(mark)), "")


def is_binary(text: str) -> bool:
    """Return whether the beginning of a file, decoded, has more control characters and zeros than any text."""
    return len(_CONTROL.findall(text)) > _MOST_CONTROL * len(text) or text.count("\0") > _MOST_ZEROS * len(text)


def plain_line_ends(text: str) -> str:
    """Return a text with every line end as a line feed."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def parsed_row(line: str) -> dict[str, object]:
    """Return the object of a line of JSON Lines. Raises ValueError, in words, where it is none."""
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error.msg}, column {error.colno})") from error
    except RecursionError as error:
        raise ValueError("not JSON that can be read (nested too deeply)") from error
    if not isinstance(row, dict):
        raise ValueError("not a JSON object")
    return row


def row_places(row: dict[str, object], fields: Sequence[str]) -> list[tuple[dict[str, str], str]]:
    """Return where the texts of a row stand: the contents of its `messages` where it has them, else the named fields.

    A place is (object, key); a message without a string, such as a call of a tool, has none.
    Raises ValueError, in words, where a row has none of the fields, or one that holds no string.
    """
    messages = row.get("messages")
    if isinstance(messages, list) and "messages" not in fields:
        turns = [turn for turn in messages if isinstance(turn, dict)]
        return [(turn, "content") for turn in turns if isinstance(turn.get("content"), str)]
    named = [name for name in fields if name in row]
    if not named:
        raise ValueError(f"no field {' or '.join(fields)} (there are: {', '.join(row) or 'none'})")
    if wrong := [name for name in named if not isinstance(row[name], str)]:
        raise ValueError(f"the field {wrong[0]} holds no string")
    return [(cast(dict[str, str], row), name) for name in named]


def _is_utf8(block: bytes) -> bool:
    """Return whether a block is UTF-8 but for a character that its end cuts."""
    try:
        codecs.getincrementaldecoder("utf-8")("strict").decode(block)
    except UnicodeDecodeError:
        return False
    return True


def _border(text: str, most: int) -> int:
    """Return where to cut: after the last blank line, line or blank of the second half, else at the end."""
    for mark in ("\n\n", "\n", " "):
        at = text.rfind(mark, most // 2, most)
        if at >= 0:
            return at + len(mark)
    return most
