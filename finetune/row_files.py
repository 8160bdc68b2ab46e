"""The files of a training: what is learned of them, and what is held out."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from data.manifest import file_sha256
from doceo.core.config import FinetuneConfig
from finetune.checks import Checked, Row, load_rows
from finetune.holdout import split


class Rows(NamedTuple):
    """The rows of a training as they were read: the file as the checks left it, what to learn, what is held out.

    `name` is the file's as the user knows it; `hashes` are those of the files by their names.
    """

    name: str
    checked: Checked
    train: list[Row]
    held_out: list[Row]
    hashes: dict[str, str]


def read_rows(train_rows: Path, validation_rows: Path | None, holdout: float, config: FinetuneConfig) -> Rows:
    """Return the rows of the files, a share of the first held out where there is no second. Raises InputError."""
    checked = load_rows(train_rows, objective=config.objective)
    name = checked.named(train_rows)
    hashes = {name: file_sha256(train_rows)}
    if validation_rows is not None and validation_rows.stat().st_size:
        held = load_rows(validation_rows, to_train=False, objective=config.objective).rows
        hashes[validation_rows.name] = file_sha256(validation_rows)
        return Rows(name, checked, checked.rows, held, hashes)
    kept, held = split(checked.rows, holdout, config.seed)
    return Rows(name, checked, kept, held, hashes)
