"""The dense arm: ids and vectors in a Chroma folder, nothing else (Chroma keeps the bytes of deleted texts)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection
    from numpy.typing import NDArray

FOLDER = "chroma"
_NAME = "passages"
_BATCH = 1000


class Unsafe(ValueError):
    """The folder is not one that this program wrote."""


class Vectors:
    """An open Chroma folder. `close` it before the folder is moved or dropped."""

    def __init__(self, folder: Path, *, create: bool = False) -> None:
        """Open or create a folder.

        Raises Unsafe where the stored settings name an embedding function (Chroma would build it, whatever it is:
        CVE-2026-45829), and what Chroma raises where the folder is damaged.
        """
        import chromadb
        from chromadb.config import Settings

        if not create:
            _check(folder)
        client = chromadb.PersistentClient(str(folder), settings=Settings(anonymized_telemetry=False))
        self._client = cast("Client", client)
        self._collection: Collection = (
            client.create_collection(
                _NAME, embedding_function=None, configuration={"hnsw": {"space": "cosine", "num_threads": 1}}
            )
            if create
            else client.get_collection(_NAME, embedding_function=None)
        )

    def close(self) -> None:
        """Let go of the folder's files."""
        self._client.close()

    def count(self) -> int:
        """Return how many vectors there are."""
        return int(self._collection.count())

    def add(self, ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
        """Add vectors, an array of shape (len(ids), dimensions)."""
        for at in range(0, len(ids), _BATCH):
            self._collection.add(ids=list(ids[at : at + _BATCH]), embeddings=vectors[at : at + _BATCH])

    def remove(self, ids: Sequence[str]) -> None:
        """Remove vectors by id. The files do not shrink: see `rag.index`."""
        for at in range(0, len(ids), _BATCH):
            self._collection.delete(ids=list(ids[at : at + _BATCH]))

    def search(self, vector: NDArray[np.float32], k: int) -> list[tuple[str, float]]:
        """Return up to k (id, cosine), best first, equal ones by id."""
        k = min(k, self.count())
        if k == 0:
            return []
        found = self._collection.query(query_embeddings=vector.reshape(1, -1), n_results=k, include=["distances"])
        distances = found["distances"]
        assert distances is not None
        pairs = zip(found["ids"][0], distances[0], strict=True)
        return sorted(((key, 1.0 - float(distance)) for key, distance in pairs), key=lambda pair: (-pair[1], pair[0]))


def _check(folder: Path) -> None:
    file = folder / "chroma.sqlite3"
    if not file.is_file():
        raise Unsafe(f"there is no {file.name}")
    database = sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)
    try:
        rows = database.execute("SELECT config_json_str, schema_str FROM collections").fetchall()
    finally:
        database.close()
    for text in (text for row in rows for text in row if text):
        for kind in _functions(json.loads(text)):
            if kind not in {"legacy", "unknown"}:
                raise Unsafe(f"its settings ask for an embedding function of type {kind!r}")


def _functions(value: object) -> Iterable[str]:
    """Yield the type of every embedding function that Chroma's settings hold, however deep."""
    if isinstance(value, list):
        for part in value:
            yield from _functions(part)
    if isinstance(value, dict):
        for key, part in value.items():
            if key == "embedding_function" and part is not None:
                yield str(part.get("type")) if isinstance(part, dict) else str(part)
            else:
                yield from _functions(part)
