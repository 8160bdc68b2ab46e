"""Vectors that were computed for an index and are in no version yet, so that a dead writer's work is not done twice.

Holds hashes of texts and vectors, no text. A file that is damaged is worth nothing and begun anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from doceo.core.fingerprint import sha256

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PREFIX = ".embedded-"


class Pending:
    """The file of one embedder in an index's folder, for the writer."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        self._path = folder / f"{_PREFIX}{sha256(fingerprint)[:12]}.sqlite"
        try:
            self._database = self._open()
        except sqlite3.DatabaseError:
            remove(folder)
            self._database = self._open()

    def vectors(self, hashes: Iterable[str]) -> dict[str, NDArray[np.float32]]:
        """Return {text hash: vector} of those that are there."""
        wanted = set(hashes)
        rows = self._database.execute("SELECT text_sha256, vector FROM vectors")
        return {key: np.frombuffer(blob, dtype="<f4").astype(np.float32) for key, blob in rows if key in wanted}

    def put(self, vectors: Mapping[str, NDArray[np.float32]]) -> None:
        """Keep vectors by text hash."""
        rows = [(key, vector.astype("<f4").tobytes()) for key, vector in vectors.items()]
        self._database.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", rows)
        self._database.commit()

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def _open(self) -> sqlite3.Connection:
        self._path.touch(mode=0o600)
        database = sqlite3.connect(self._path)
        try:
            # a power cut may damage the file, which costs no more than the vectors
            database.execute("PRAGMA synchronous = OFF")
            database.execute("CREATE TABLE IF NOT EXISTS vectors (text_sha256 TEXT PRIMARY KEY, vector BLOB NOT NULL)")
            if database.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("damaged")
        except BaseException:
            database.close()
            raise
        return database


def remove(folder: Path) -> None:
    """Remove the files of all embedders, and what a process that died left beside them."""
    for path in folder.glob(f"{_PREFIX}*"):
        path.unlink(missing_ok=True)
