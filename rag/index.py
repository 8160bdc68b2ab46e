"""An index over documents: made and updated as a whole new version, opened for reading as one that is whole.

- `<version>/texts.sqlite`: documents, sources, chunks, and the vector of every distinct text
- `<version>/chroma/`: ids and vectors: the dense arm
- `<version>/lexical/`: stems of header and body: the lexical arm
- `<version>/manifest.json`: embedder, counts; written last
"""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from doceo.core.errors import IndexUnusable
from doceo.core.protocols import Embedder
from doceo.core.records import Document, Record
from rag import manifest as manifests
from rag import readers, versions
from rag.lexical import FOLDER as LEXICAL
from rag.lexical import Lexical
from rag.manifest import IndexManifest, read_manifest
from rag.texts import FILE as TEXTS
from rag.texts import StoredChunk, Texts
from rag.vectors import FOLDER as CHROMA
from rag.vectors import Vectors

_TRIES = 5
_KEPT = 1024
"""Passages that stay in memory once they were read, a few megabytes."""


class Index:
    """One version of an index, open for reading. Safe to share between threads.

    Use `Index.open`. A version never changes, and stays as long as it is open; `is_current` says whether a newer one
    has been published. It is closed by `close`, or when nobody uses the object any more.
    """

    def __init__(self, folder: Path, version: Path, manifest: IndexManifest, embedder: Embedder) -> None:
        self.folder = folder
        self.version = version.name
        self.manifest = manifest
        self.embedder = embedder
        with ExitStack() as opened:
            self.texts = Texts(version / TEXTS)
            opened.callback(self.texts.close)
            self.lexical = Lexical(version / LEXICAL)
            self.vectors = Vectors(version / CHROMA)
            opened.pop_all()
        self._kept: dict[str, StoredChunk] = {}
        self._keeping = threading.Lock()
        self._holds: list[readers.Hold] = []
        self._close = weakref.finalize(self, _let_go, self.vectors, self.texts, folder, version.name, self._holds)

    @classmethod
    def open(cls, folder: Path, embedder: Embedder) -> Index:
        """Open the current version.

        Raises IndexUnusable, naming the way back, where there is none, where it is damaged, or where another
        embedder made its vectors.
        """
        found = versions.read(folder)
        if found is None:
            raise IndexUnusable(
                f"There is no index at {folder}.", hint="Make one from your documents: doceo index SRC."
            )
        version, hold = found
        try:
            manifest = read_manifest(folder, version)
            manifests.check_embedder(folder, manifest, embedder.fingerprint)
            index = cls._checked(folder, version, manifest, embedder)
        except BaseException:
            if hold is not None:
                hold.release()
            raise
        index._holds += [hold] if hold is not None else []
        versions.drop_old(folder)
        return index

    @classmethod
    def _checked(cls, folder: Path, version: Path, manifest: IndexManifest, embedder: Embedder) -> Index:
        for left in reversed(range(_TRIES)):
            try:
                # before the parts are opened: Chroma ends the process over a vector file that is damaged
                manifests.check_files(version, manifest)
                index = cls(folder, version, manifest, embedder)
                try:
                    index.check()
                except BaseException:
                    index.close()
                    raise
            except damage() as error:
                if left and "locked" in str(error):
                    continue  # by another reader, who leaves a row in Chroma's database, as all do
                raise versions.unusable(folder, f"version {version.name} is damaged ({first_line(error)})") from error
            return index
        raise AssertionError("the last try returns or raises")

    def check(self) -> None:
        """Compare the parts with the manifest and touch each, so that a reader needs no file later on.

        Raises ValueError where they do not fit, and what the parts raise where they cannot be read.
        """
        chunks = int(str(self.texts.query("SELECT COUNT(*) FROM chunks")[0][0]))
        counts = {"texts": chunks, "vectors": self.vectors.count(), "lexical": self.lexical.count()}
        wrong = {part: count for part, count in counts.items() if count != self.manifest.chunks}
        if wrong:
            raise ValueError(f"{self.manifest.chunks} passages in the manifest, but {wrong}")
        if self.manifest.chunks:
            self.vectors.ask(np.ones(self.manifest.dimensions, dtype=np.float32), 1)

    def is_current(self) -> bool:
        """Return whether this is still the version that a new reader would open."""
        version = versions.current(self.folder)
        return version is not None and version.name == self.version

    def document(self, document_id: str) -> Document | None:
        """Return a document with its whole text, or None."""
        return self.texts.document(document_id)

    def chunks(self, ids: Sequence[str]) -> dict[str, StoredChunk]:
        """Return {chunk id: chunk} as `Texts.chunks`, for the few that a search found: those read last are kept."""
        with self._keeping:
            found = {key: self._kept[key] for key in ids if key in self._kept}
        read = self.texts.chunks([key for key in ids if key not in found])
        with self._keeping:
            self._kept |= read
            for key in [*self._kept][: max(len(self._kept) - _KEPT, 0)]:
                del self._kept[key]
        return found | read

    def close(self) -> None:
        """Let go of the files; the last reader of an old version drops it."""
        self._close()


class Summary(Record):
    """What an index holds, the bytes of its folder, what made its vectors and when (seconds since 1970, UTC)."""

    documents: int
    chunks: int
    bytes: int
    embedder: str
    updated: float


def summary(folder: Path) -> Summary | None:
    """Return what an index holds, or None where there is none. Raises IndexUnusable."""
    found = versions.read(folder)
    if found is None:
        return None
    version, hold = found
    try:
        manifest = read_manifest(folder, version)
        return Summary(
            documents=manifest.documents,
            chunks=manifest.chunks,
            bytes=size(folder),
            embedder=manifest.embedder,
            updated=(version / manifests.FILE).stat().st_mtime,
        )
    finally:
        if hold is not None:
            hold.release()
        versions.drop_old(folder)


def size(folder: Path) -> int:
    """Return the bytes of all files of a folder, one under several names counted once."""
    sizes: dict[tuple[int, int], int] = {}
    for place, _, names in os.walk(folder):
        for name in names:
            try:
                found = os.stat(os.path.join(place, name))
            except OSError:
                continue
            sizes[found.st_dev, found.st_ino] = found.st_size
    return sum(sizes.values())


def delete(folder: Path) -> None:
    """Delete an index with all its versions; one that is being read goes with its last reader.

    Raises RunLocked, StorageError, IndexUnusable where there is none.
    """
    if not folder.is_dir():
        raise IndexUnusable(f"There is no index at {folder}.", hint="`doceo collections` lists those there are.")
    versions.delete(folder)


def damage() -> tuple[type[Exception], ...]:
    """Return what the parts raise where their files are damaged."""
    from chromadb.errors import ChromaError

    return (ChromaError, sqlite3.Error, ValueError, OSError, KeyError)


def first_line(error: BaseException) -> str:
    """Return the first line of an error's words."""
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__


def _let_go(vectors: Vectors, texts: Texts, folder: Path, version: str, holds: list[readers.Hold]) -> None:
    vectors.close()
    texts.close()
    for hold in holds:
        hold.release()
        versions.drop_read(folder, version)
