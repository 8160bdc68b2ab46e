"""`training.jsonl`: a line for each step and each evaluation, read and written while a training runs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from data.jsonl import storage_error

LOG = "training.jsonl"


def log_lines(path: Path) -> list[dict[str, Any]]:
    """Return the whole lines of a log, none where it is not there; a process may have died in the last one's middle."""
    text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    return [json.loads(line) for line in text.split("\n")[:-1]]


def append(path: Path, line: Mapping[str, object]) -> None:
    """Add a line to a log, for whoever follows it. Raises StorageError."""
    try:
        with path.open("a", encoding="utf-8") as log:
            log.write(json.dumps(line, ensure_ascii=False) + "\n")
    except OSError as error:
        raise storage_error(error, path) from error
