"""The small base model that ships: there so that training, export and serving work for real on a machine offline."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

NAME = "doceo-5m"
"""What it is called wherever a model is named, and in the adapters that are trained on it."""


def shipped_folder() -> Path:
    """Return its folder, an ordinary Hugging Face model."""
    return Path(str(files("data"))) / "models" / NAME


def located(name: str) -> str:
    """Return the folder of the model that ships for its name, and every other name or folder as it is."""
    return str(shipped_folder()) if name == NAME else name


def named(base: str) -> str:
    """Return the name of the model that ships for its folder, and every other name or folder as it is.

    What is written down has the name: the program may be installed elsewhere when it is read.
    """
    return NAME if base == str(shipped_folder()) else base
