"""What every owner keeps, in SQLite or PostgreSQL by the same code.

Importing this package loads no database library: only opening the store does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from doceo.app.store.store import Store as Store
    from doceo.app.store.store import open_store as open_store

__all__ = ["Store", "open_store"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever stands in the module
    if name in __all__:
        from doceo.app.store import store

        return getattr(store, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
