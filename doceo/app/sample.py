"""The shipped sample: Doceo's own handbook, and questions that people wrote about it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path


@dataclass(frozen=True)
class Sample:
    """Where the sample lies, its written questions, and the documents that are kept out of training."""

    folder: Path
    questions: Path
    held_out: tuple[str, ...]


def sample() -> Sample:
    """Return the shipped sample."""
    root = Path(str(files("data"))) / "sample"
    described = json.loads((root / "sample.json").read_text(encoding="utf-8"))
    return Sample(root / "handbook", root / "questions.jsonl", tuple(described["held_out"]))
