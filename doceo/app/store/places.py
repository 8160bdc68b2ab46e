"""Where things are kept, told without opening anything."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from doceo.app.runs import HOME
from doceo.core.errors import InputError


def default_file() -> Path:
    """Return the file that is used where no database is named."""
    return HOME / ".doceo.sqlite"


def address(url: str) -> str:
    """Return the address of the database that a setting names, or of the default file."""
    return url or f"sqlite:///{default_file()}"


def exists(url: str) -> bool:
    """Say whether there is a database to read: a file that is there, or a server."""
    named = address(url)
    return not named.startswith("sqlite:///") or Path(named.removeprefix("sqlite:///")).is_file()


def absent(url: str) -> InputError | None:
    """Return the error where there is no database to read, so that none is made in a wrong folder."""
    if exists(url):
        return None
    return InputError(
        f"There is no database at {Path(shown(url)).resolve()}.",
        hint="Call this in the folder in which the service runs, or with its DOCEO_DATABASE_URL.",
    )


def shown(url: str) -> str:
    """Return the file, or the address without user and password."""
    named = address(url)
    if named.startswith("sqlite:///"):
        return named.removeprefix("sqlite:///")
    parts = urlsplit(named)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"
