"""Where runs and collections lie."""

from __future__ import annotations

import re
from collections.abc import Sequence
from glob import has_magic
from pathlib import Path

from data.store import Run
from doceo.core.errors import RunError, UsageError

HOME = Path("runs")
COLLECTIONS = ".collections"
DEFAULT_COLLECTION = "default"
_NAME = re.compile(r"[^\s/\\+.][^/\\+]*")


def run_at(name: str) -> Run:
    """Return the run of a path; a bare name that is no existing path lies under `runs/`."""
    path = Path(name).expanduser()
    if len(path.parts) == 1 and not path.exists() and not name.startswith("."):
        path = HOME / name
    return Run(path)


def existing_run(name: str) -> Run:
    """Return a run that exists. Raises RunError naming those there are."""
    run = run_at(name)
    if run.path.is_file():
        raise RunError(
            f"{run.path} is a file, not a run.",
            hint=f"Stored chats become one with: doceo import --traces {run.path} --out NAME; rows to train on with: "
            f"doceo import {run.path} --out NAME",
        )
    if not run.path.is_dir():
        known = (
            ", ".join(sorted(p.name for p in HOME.glob("*/") if not p.name.startswith("."))) if HOME.is_dir() else ""
        )
        raise RunError(
            f"There is no run {run.path}.",
            hint=f"Runs here: {known}." if known else "Make one with: doceo run FOLDER --out NAME",
        )
    return run


def default_run(sources: Sequence[str]) -> Run:
    """Return the run of a command that names none: `runs/` and the last name of its first source."""
    if sources[0] == "-":
        return Run(HOME / "stdin")
    source = Path(sources[0]).expanduser()
    while has_magic(source.name):
        source = source.parent
    path = source.resolve()
    return Run(HOME / ((path.name if path.is_dir() else path.stem) or "run"))


def is_name(name: str) -> bool:
    """Return whether a collection can be called this."""
    return bool(_NAME.fullmatch(name))


def collection_folder(name: str, home: Path = HOME) -> Path:
    """Return the folder of a collection. Raises UsageError for a name that is not one."""
    if not is_name(name):
        raise UsageError(
            f"{name!r} cannot be the name of a collection.",
            hint="Use one or more characters, without + or / and no dot first.",
        )
    return home / COLLECTIONS / name
