"""An index over documents: made and updated as a whole new version, opened for reading as one that is whole.

- `<version>/texts.sqlite`: documents, sources, chunks, and the vector of every distinct text
- `<version>/chroma/`: ids and vectors: the dense arm
- `<version>/lexical/`: stems of header and body: the lexical arm
- `<version>/manifest.json`: embedder, counts; written last
"""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import numpy as np
from pydantic import ValidationError

from data.jsonl import storage_error, write_json
from data.manifest import hash_inputs
from doceo.core.errors import IndexUnusable
from doceo.core.protocols import Embedder
from doceo.core.records import Document, Record
from rag import versions
from rag.lexical import FOLDER as LEXICAL
from rag.lexical import Lexical
from rag.texts import FILE as TEXTS
from rag.texts import Texts
from rag.vectors import FOLDER as CHROMA
from rag.vectors import Vectors

MANIFEST = "manifest.json"
FORMAT = 1


class IndexManifest(Record):
    """What a version holds and which embedder made its vectors.

    `files` has the SHA-256 of every file that readers do not change (`file_hashes`). `removed` counts the
    vectors deleted since Chroma's folder was last written whole: its files never shrink.
    """

    format: int = FORMAT
    embedder: str
    dimensions: int
    documents: int
    chunks: int
    files: dict[str, str]
    removed: int = 0


class Index:
    """One version of an index, open for reading. Safe to share between threads.

    Use `Index.open`. A version never changes; `is_current` says whether a newer one has been published.
    """

    def __init__(self, folder: Path, version: Path, manifest: IndexManifest, embedder: Embedder) -> None:
        self.folder = folder
        self.version = version.name
        self.manifest = manifest
        self.embedder = embedder
        self.texts = Texts(version / TEXTS)
        self.lexical = Lexical(version / LEXICAL)
        self.vectors = Vectors(version / CHROMA)

    @classmethod
    def open(cls, folder: Path, embedder: Embedder) -> Index:
        """Open the current version.

        Raises IndexUnusable, naming the way back, where there is none, where it is damaged, or where another
        embedder made its vectors.
        """
        version = versions.current(folder)
        if version is None:
            raise IndexUnusable(
                f"There is no index at {folder}.", hint="Make one from your documents: doceo index SRC."
            )
        manifest = read_manifest(folder, version)
        if manifest.embedder != embedder.fingerprint:
            raise IndexUnusable(
                f"The index {folder} was made by the embedder {manifest.embedder}, not by {embedder.fingerprint}.",
                hint="Name that embedder, or delete the folder and index the documents again: doceo index SRC.",
            )
        try:
            # before the parts are opened: Chroma ends the process over a vector file that is damaged
            if (found := file_hashes(version)) != manifest.files:
                changed = sorted(found.items() ^ manifest.files.items())[0][0]
                raise ValueError(f"{changed} is not as it was written")
            index = cls(folder, version, manifest, embedder)
            index.check()
        except _damage() as error:
            raise versions.unusable(folder, f"version {version.name} is damaged ({_first_line(error)})") from error
        return index

    def check(self) -> None:
        """Compare the parts with the manifest and touch each, so that a reader needs no file later on.

        Raises ValueError where they do not fit, and what the parts raise where they cannot be read.
        """
        chunks = len(self.texts.chunk_ids())
        counts = {"texts": chunks, "vectors": self.vectors.count(), "lexical": self.lexical.count()}
        wrong = {part: count for part, count in counts.items() if count != self.manifest.chunks}
        if wrong:
            raise ValueError(f"{self.manifest.chunks} passages in the manifest, but {wrong}")
        self.vectors.search(np.ones(self.manifest.dimensions, dtype=np.float32), 1)
        self.texts.query("SELECT COUNT(*) FROM vectors")

    def is_current(self) -> bool:
        """Return whether this is still the version that a new reader would open."""
        version = versions.current(self.folder)
        return version is not None and version.name == self.version

    def document(self, document_id: str) -> Document | None:
        """Return a document with its whole text, or None."""
        return self.texts.document(document_id)

    def close(self) -> None:
        """Let go of the files."""
        self.vectors.close()
        self.texts.close()


def read_manifest(folder: Path, version: Path) -> IndexManifest:
    """Return a version's manifest. Raises IndexUnusable."""
    try:
        manifest = IndexManifest.model_validate_json((version / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, ValidationError) as error:
        raise versions.unusable(folder, f"the manifest of version {version.name} cannot be read") from error
    if manifest.format != FORMAT:
        raise versions.unusable(folder, f"it has format {manifest.format}, and this program reads {FORMAT}")
    return manifest


def file_hashes(version: Path) -> dict[str, str]:
    """Return {path in the version: SHA-256} of the files that no reader changes.

    Chroma's database is changed by every reader. Its vector files are made anew by each of them as long as they are
    empty: below 1,000 vectors all stand in the database.
    """
    hashes = hash_inputs([version], version)
    full = {name.rsplit("/", 1)[0] for name in hashes if name.endswith("/index_metadata.pickle")}
    return {
        name: found
        for name, found in hashes.items()
        if not name.startswith(f"{CHROMA}/") or name.rsplit("/", 1)[0] in full
    }


def write_manifest(version: Path, manifest: IndexManifest) -> None:
    """Write a version's manifest: the last file of a version. Raises StorageError."""
    write_json(version / MANIFEST, manifest.model_dump(mode="json"))


def delete(folder: Path) -> None:
    """Delete an index with all its versions. Raises RunLocked, StorageError, IndexUnusable where there is none."""
    if not folder.is_dir():
        raise IndexUnusable(f"There is no index at {folder}.", hint="`doceo collections` lists those there are.")
    with versions.writing(folder):
        # the pointer first: a reader finds either a whole index or none
        (folder / versions.POINTER).unlink(missing_ok=True)
        for path in list(folder.iterdir()):
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise storage_error(error, folder) from error


def _damage() -> tuple[type[Exception], ...]:
    """Return what the parts raise where their files are damaged."""
    from chromadb.errors import ChromaError

    return (ChromaError, sqlite3.Error, ValueError, OSError, KeyError)


def _first_line(error: BaseException) -> str:
    text = str(error).strip()
    return text.splitlines()[0][:200] if text else type(error).__name__
