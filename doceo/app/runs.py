"""Where runs and collections lie."""

from __future__ import annotations

import re
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
    if not run.path.is_dir():
        known = (
            ", ".join(sorted(p.name for p in HOME.glob("*/") if not p.name.startswith("."))) if HOME.is_dir() else ""
        )
        raise RunError(
            f"There is no run {run.path}.",
            hint=f"Runs here: {known}." if known else "Make one with: doceo run FOLDER --out NAME",
        )
    return run


def default_run_name(sources: list[str]) -> str:
    """Return the name of a run that was given none: that of its first source."""
    return Path(sources[0]).expanduser().resolve().stem or "run"


def collection_folder(name: str) -> Path:
    """Return the folder of a collection. Raises UsageError for a name that is not one."""
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} cannot be the name of a collection.",
            hint="Use one or more characters, without + or / and no dot first.",
        )
    return HOME / COLLECTIONS / name
