"""Files to text. `LOADERS` names, for every ending, the function that reads it; a loader is imported on use.

A loader takes a file's bytes and returns a `Loaded`, or raises `Unreadable` with a reason for `skipped.jsonl`.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

from data.loaders.loaded import Loaded, Unreadable

LOADERS: dict[str, str] = {
    ".txt": "data.loaders.plain:load_text",
    ".md": "data.loaders.plain:load_markdown",
    ".markdown": "data.loaders.plain:load_markdown",
    ".html": "data.loaders.html:load_html",
    ".htm": "data.loaders.html:load_html",
    ".pdf": "data.loaders.pdf:load_pdf",
    ".docx": "data.loaders.office:load_docx",
    ".epub": "data.loaders.office:load_epub",
}


def loader_of(ending: str) -> Callable[[bytes, int], Loaded]:
    """Return the loader of a file ending such as `.pdf`. Raises Unreadable for an ending that has none."""
    try:
        module, function = LOADERS[ending.lower()].split(":")
    except KeyError:
        known = " ".join(sorted(LOADERS))
        raise Unreadable(
            "unsupported", f"no loader for {ending or 'files without an ending'}; known: {known}"
        ) from None
    loader: Callable[[bytes, int], Loaded] = getattr(import_module(module), function)
    return loader


__all__ = ["LOADERS", "Loaded", "Unreadable", "loader_of"]
