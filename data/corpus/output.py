"""What cleaning writes: one file a source, and the list of what was dropped."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path
from types import TracebackType
from typing import Self

from data.jsonl import storage_error
from doceo.text.surrogates import without_surrogates

SHOWN = 200
"""First characters of a dropped text that are kept in the list."""


class Output:
    """A text file, gzipped where its name says so, that exists from its first text on. All raise StorageError."""

    def __init__(self, path: Path) -> None:
        self.size = 0
        self._path = path
        self._file: gzip.GzipFile | io.BufferedWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if self._file:
                self._file.close()
        except OSError as failed:
            raise storage_error(failed, self._path) from failed

    def write(self, text: str) -> None:
        """Add text, as UTF-8."""
        try:
            if self._file is None:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                # no time in the header: equal texts, equal bytes
                packed = self._path.name.lower().endswith(".gz")
                self._file = gzip.GzipFile(self._path, "wb", 6, mtime=0) if packed else self._path.open("wb")
            content = without_surrogates(text).encode()
            self.size += len(content)
            self._file.write(content)
        except OSError as error:
            raise storage_error(error, self._path) from error

    def discard(self) -> None:
        """Remove what was written."""
        if self._file:
            self._file.close()
            self._path.unlink()
        self._file, self.size = None, 0


class DroppedList(Output):
    """`dropped.jsonl`: one row for every dropped paragraph, row or text."""

    def add(self, source: str, line: int, reason: str, text: str, detail: str = "") -> None:
        """Add a row: source, line, reason, first 200 characters, and more words on the reason where there are any."""
        row = {"source": source, "line": line, "reason": reason, "text": text[:SHOWN]}
        self.write(json.dumps({**row, "detail": detail} if detail else row, ensure_ascii=False) + "\n")
