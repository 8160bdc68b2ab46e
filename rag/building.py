"""The parts of a new version of an index, written from its texts; from the last version what did not change."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import numpy as np

from data.jsonl import storage_error
from doceo.core.errors import DoceoError, StorageError
from doceo.core.protocols import Embedder, Progress
from rag import chroma_files, lexical_parts, pending, versions
from rag.index import damage, first_line
from rag.lexical import FOLDER as LEXICAL
from rag.lexical import Lexical
from rag.manifest import DATABASE, IndexManifest, check_files, file_hashes, write_manifest
from rag.new_texts import NewTexts
from rag.pending import Pending
from rag.vectors import FOLDER as CHROMA
from rag.vectors import Vectors

BATCH = 64
"""Passages that are embedded, and kept, together."""
_SMALL = 1000
"""Up to so many passages Chroma's folder is always written whole: it takes a second and leaves nothing behind."""
_STEP = 5000
WORN = 0.25
"""Share of removed vectors from which the folder is written whole again, however large."""
_FULL = ("is full", "no space left", "file too large", "quota", "os error 27", "os error 28", "disk i/o error")


class Build:
    """One version under way.

    Args:
        folder: The index.
        old: The current version, if any.
        before: Its manifest.
        work: Where the new one is made.
        rebuild: Write every file anew.
        progress: Where the work is shown.
    """

    def __init__(
        self,
        folder: Path,
        old: Path | None,
        before: IndexManifest | None,
        work: Path,
        *,
        rebuild: bool,
        progress: Progress,
    ) -> None:
        self.folder, self.old, self.before, self.work = folder, old, before, work
        self.rebuild, self.progress = rebuild, progress

    def check_old(self) -> None:
        """Raise IndexUnusable where the current version is damaged: what is wrong in it would be copied."""
        if self.old is not None and self.before is not None:
            try:
                check_files(self.old, self.before)
            except damage() as error:
                why = f"version {self.old.name} is damaged ({first_line(error)})"
                raise versions.unusable(self.folder, why) from error

    def embed(self, texts: NewTexts, embedder: Embedder, at_once: int = BATCH) -> int:
        """Store the missing vectors and return how many were computed now, those of a dead writer not counted."""
        wanted = texts.without_vectors()
        with closing(Pending(self.folder, embedder.fingerprint)) as kept:
            found = {key: vector for key, vector in kept.vectors(wanted).items() if len(vector) == embedder.dimensions}
            texts.put_vectors(found)
            todo = [key for key in wanted if key not in found]
            with self.progress.task("embed", len(todo), "passages") as task:
                for at in range(0, len(todo), at_once):
                    some = todo[at : at + at_once]
                    vectors = dict(zip(some, embedder.embed([wanted[key] for key in some]), strict=True))
                    kept.put(vectors)
                    texts.put_vectors(vectors)
                    task.advance(len(some))
        return len(todo)

    def write(
        self, texts: NewTexts, stored: Sequence[str], fingerprint: str, dimensions: int, documents: int
    ) -> IndexManifest:
        """Write both arms and the manifest; `stored` are the chunks of the old version. Raises StorageError."""
        ids = texts.chunk_ids()
        removed = self._write_vectors(texts, ids, stored)
        self._write_words(texts, ids, stored)
        texts.close()
        manifest = IndexManifest(
            embedder=fingerprint,
            dimensions=dimensions,
            documents=documents,
            chunks=len(ids),
            files=file_hashes(self.work),
            removed=removed,
        )
        write_manifest(self.work, manifest)
        return manifest

    def publish(self) -> str:
        """Make the version current and return its name."""
        place = versions.publish(self.folder, self.work)
        pending.remove(self.folder)
        return place.name

    def _write_words(self, texts: NewTexts, ids: Sequence[str], stored: Sequence[str]) -> None:
        """Write the lexical arm."""
        old = self.old / LEXICAL if self.old is not None and not self.rebuild else None
        stale = (set(stored) - set(ids)) | texts.rewritten
        with self.progress.task("words", len(ids), "passages") as task:
            lexical_parts.change(old, self.work / LEXICAL, texts.ids_by_source(), stale, texts.passages)
            task.advance(len(ids))
        if (found := Lexical(self.work / LEXICAL).count()) != len(ids):
            raise AssertionError(f"{found} of {len(ids)} passages can be searched by word")

    def _write_vectors(self, texts: NewTexts, ids: Sequence[str], stored: Sequence[str]) -> int:
        """Write the dense arm and return how many removed vectors its files still hold."""
        removed = sorted(set(stored) - set(ids))
        worn = len(removed) + (self.before.removed if self.before else 0)
        place = self.work / CHROMA
        changeable = self.before is not None and DATABASE in self.before.files and not self.rebuild
        whole = not changeable or len(ids) <= _SMALL or worn > WORN * len(ids)
        if not whole and self.old is not None:
            chroma_files.copy(self.old / CHROMA, place)
            added = sorted(set(ids) - set(stored))
        else:
            removed, added, worn = [], list(ids), 0
        if whole or removed or added:
            with (
                closing(Vectors(place, create=whole)) as arm,
                self.progress.task("vectors", len(added), "passages") as task,
            ):
                arm.remove(removed)
                for at in range(0, len(added), _STEP):
                    some = added[at : at + _STEP]
                    vectors = texts.vectors_of(some)
                    arm.add(some, np.stack([vectors[key] for key in some]))
                    task.advance(len(some))
                if (found := arm.count()) != len(ids):
                    raise AssertionError(f"{found} of {len(ids)} vectors are stored")
        chroma_files.settle(place)
        return worn


@contextmanager
def writing_failures(place: Path) -> Iterator[None]:
    """Turn what the parts raise on a full disk into StorageError."""
    try:
        yield
    except DoceoError:
        raise
    except OSError as error:
        raise storage_error(error, place) from error
    except damage() as error:
        # Chroma does not always say why it could not write
        told = isinstance(error, sqlite3.OperationalError | chroma_files.Unsafe) or _is_chroma(error)
        if told or any(words in str(error).lower() for words in _FULL):
            raise StorageError(
                f"The disk is full or not writable while writing {place} ({first_line(error)}).",
                hint="Free some space and run the same command again; the index is as it was before.",
            ) from error
        raise


def _is_chroma(error: Exception) -> bool:
    from chromadb.errors import ChromaError

    return isinstance(error, ChromaError)
