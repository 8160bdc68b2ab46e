"""A folder that appears under its name only when it is whole."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from data.jsonl import storage_error
from data.store import swap
from doceo.core.errors import UsageError


@contextmanager
def whole_folder(place: Path) -> Iterator[Path]:
    """Open a work folder that takes its place when the block ends without an error; what stood there goes.

    Raises StorageError, and UsageError where it is, or holds, the folder that the program runs in.
    """
    place = place.resolve()
    if Path.cwd().is_relative_to(place):
        raise UsageError(f"{place} is the current folder and cannot be replaced.", hint="Name a folder inside it.")
    with work_folder(place) as work:
        yield work
        swap(work, place)


@contextmanager
def work_folder(place: Path) -> Iterator[Path]:
    """Open an empty folder beside a place; it is gone afterwards unless it was put there. Raises StorageError."""
    work = place.with_name(f".{place.name}.work")
    shutil.rmtree(work, ignore_errors=True)
    try:
        work.mkdir(parents=True)
    except OSError as error:
        raise storage_error(error, work) from error
    try:
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
