"""The dense arm: ids and vectors in a Chroma folder, nothing else (Chroma keeps the bytes of deleted texts)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

from rag import chroma_files
from rag.chroma_files import Unsafe
from rag.texts import SMALL

if TYPE_CHECKING:
    import numpy as np
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection
    from numpy.typing import NDArray

FOLDER = "chroma"
_NAME = "passages"
_BATCH = 5000
"""Chroma takes at most 5,461 at once."""
_SETTINGS = {"hnsw": {"space": "cosine", "num_threads": 1, "sync_threshold": 1, "batch_size": 1}}
"""Every batch goes into the HNSW files at once: else each reader begins by adding what waits in the database, and below
1,000 vectors by writing files of its own, filled with whatever is in its memory."""


class Vectors:
    """An open Chroma folder. `close` it before the folder is moved or dropped.

    Every method raises Unsafe, or what Chroma raises, where the folder turns out to be damaged.
    """

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        """Open or create a folder; what is there is looked at before Chroma may open it (`rag.chroma_files`)."""
        import chromadb
        from chromadb.config import Settings

        if not create:
            chroma_files.check(folder)
        try:
            with _calm():
                client = chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
        except BaseException:
            _forget(folder)
            raise
        self._client = cast("Client", client)
        self._count: int | None = None
        self._rows: tuple[list[str], NDArray[np.float32], dict[str, int]] | None = None
        try:
            with _calm():
                self._collection: Collection = (
                    client.create_collection(_NAME, embedding_function=None, configuration=_SETTINGS)
                    if create
                    else client.get_collection(_NAME, embedding_function=None)
                )
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let go of the folder's files."""
        self._client.close()

    def count(self) -> int:
        """Return how many vectors there are."""
        if self._count is None:
            with _calm():
                self._count = int(self._collection.count())
        return self._count

    def add(self, ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Add vectors, an array of shape (len(ids), dimensions)."""
        self._count = self._rows = None
        for at in range(0, len(ids), _BATCH):
            with _calm():
                self._collection.add(ids=list(ids[at : at + _BATCH]), embeddings=vectors[at : at + _BATCH])

    def remove(self, ids: Sequence[str]) -> None:
        """Remove vectors by id. The files do not shrink: see `rag.indexing`."""
        self._count = self._rows = None
        for at in range(0, len(ids), _BATCH):
            with _calm():
                self._collection.delete(ids=list(ids[at : at + _BATCH]))

    def search(
        self, vector: NDArray[np.float32], k: int, within: Sequence[str] | None = None
    ) -> list[tuple[str, float]]:
        """Return up to k (id, cosine), best first, equal ones by id; with `within`, among these ids only."""
        k = min(k, self.count() if within is None else len(within))
        if k < 1:
            return []
        if within is None and self.count() <= SMALL:
            return self._exact(vector, k)
        return self.ask(vector, k, within)

    def _exact(self, vector: NDArray[np.float32], k: int) -> list[tuple[str, float]]:
        """Return the nearest of all vectors in memory.

        They are at most 6 MB of 384 dimensions; to ask Chroma takes a millisecond of the processor, which is more.
        """
        import numpy as np

        ids, rows, _ = self._held()
        scores = rows @ (vector / max(float(np.linalg.norm(vector)), 1e-12))
        best = np.argpartition(-scores, k - 1)[:k]
        # equal ones at the border are ordered by id too
        level = scores[best].min()
        chosen = np.flatnonzero(scores >= level)
        return sorted(((ids[at], float(scores[at])) for at in chosen), key=lambda pair: (-pair[1], pair[0]))[:k]

    def known(self, ids: Sequence[str]) -> dict[str, NDArray[np.float32]] | None:
        """Return the vectors of ids, of those that there are; None where they are not in memory."""
        if self.count() > SMALL:
            return None
        _, rows, places = self._held()
        return {key: rows[places[key]] for key in ids if key in places}

    def _held(self) -> tuple[list[str], NDArray[np.float32], dict[str, int]]:
        """Return all ids, their vectors, of length 1, and the row of each, read at the first need."""
        import numpy as np

        if self._rows is None:
            with _calm():
                found = self._collection.get(include=["embeddings"])
            rows = np.asarray(found["embeddings"], dtype=np.float32)
            rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
            ids = list(found["ids"])
            self._rows = ids, rows, {key: at for at, key in enumerate(ids)}
        return self._rows

    def ask(self, vector: NDArray[np.float32], k: int, within: Sequence[str] | None = None) -> list[tuple[str, float]]:
        """As `search`, by Chroma in any case; `k` is at least 1 and at most the number of vectors."""
        only = list(within) if within is not None else None
        with _calm():
            found = self._collection.query(
                query_embeddings=vector.reshape(1, -1), n_results=k, ids=only, include=["distances"]
            )
        distances = found["distances"]
        assert distances is not None
        pairs = zip(found["ids"][0], distances[0], strict=True)
        return sorted(((key, 1.0 - float(distance)) for key, distance in pairs), key=lambda pair: (-pair[1], pair[0]))


def _forget(folder: Path) -> None:
    """Have Chroma forget a folder that it could not open, or it will not try again as long as this process lives."""
    from chromadb.api.shared_system_client import SharedSystemClient

    for known in (SharedSystemClient._identifier_to_system, SharedSystemClient._identifier_to_refcount):
        known.pop(str(folder), None)


@contextmanager
def _calm() -> Iterator[None]:
    """Turn into Unsafe what Chroma raises that is no error of its own.

    That is a panic of its Rust code, which is no Exception and would end the process, and what it stumbles over when
    it could not open its files.
    """
    try:
        yield
    except AttributeError as error:
        raise Unsafe("Chroma could not open its files") from error
    except Exception:
        raise
    except BaseException as error:
        if type(error).__name__ == "PanicException":
            raise Unsafe(f"Chroma failed: {error}") from error
        raise


__all__ = ["FOLDER", "Unsafe", "Vectors"]
