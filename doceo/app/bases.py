"""Which base model is tuned, and which one a run's adapter belongs to."""

from __future__ import annotations

from pathlib import Path

from data.store import ADAPTER, Run
from doceo.core.errors import UsageError
from doceo.core.protocols import Progress
from doceo.providers import model_folder
from doceo.providers.shipped_model import NAME, located

NO_MODEL = "none"


def base_of(run: Run) -> str:
    """Return the base of a run's adapter, a folder or a name on the hub. Raises StageMissing."""
    return model_folder.base_of(run.file(ADAPTER, model_folder.ADAPTER).parent)


def on_shipped(run: Run) -> bool:
    """Return whether a run's adapter was trained on the small model that ships. Raises StageMissing."""
    return base_of(run) == located(NAME)


def base_to_tune(named: str, known: str, progress: Progress) -> str:
    """Return the base to tune: the one that is named, else the one that is known, else the one that ships.

    Raises UsageError where `none` is named.
    """
    if named == NO_MODEL:
        raise UsageError("--base none names no model to tune.", hint="Name a folder or a hub name, or leave it out.")
    if not (named or known):
        progress.say(
            f"The base is {NAME}, the small model that ships: enough to see every step, not to phrase answers freely. "
            "Name another with --base."
        )
    base = located(named or known or NAME)
    # What is written down has to hold in any other folder too.
    return str(Path(base).resolve()) if Path(base).is_dir() else base
