"""Whose a collection is."""

from __future__ import annotations

from sqlalchemy import select

from doceo.app.store.engine import Database
from doceo.app.store.service_tables import vector_stores

VECTOR_STORE = "vs_"
"""How the names of vector stores' collections begin, and no others that a key can be given by `*`."""
_MOST = 4096


class Owners:
    """Owners of collections. Safe for several threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, str] = {}

    def of_collection(self, collection: str) -> str | None:
        """Return the owner of the vector store that a collection is of; None where it is of none. Raises StorageError.

        Owners never change and names are never used again: what was found is remembered.
        """
        if collection in self._known:
            return self._known[collection]
        with self._database.reading() as connection:
            query = select(vector_stores.c.owner).where(vector_stores.c.collection == collection)
            found = connection.scalar(query)
        if found is None:
            return None
        if len(self._known) >= _MOST:
            self._known.clear()
        return self._known.setdefault(collection, str(found))
