"""How long a training will take and how much memory, said before it starts."""

from __future__ import annotations

from pathlib import Path

from doceo.core.config import FinetuneConfig
from doceo.core.protocols import Progress


def say_estimate(rows: Path, base: str, config: FinetuneConfig, work: Path, progress: Progress) -> None:
    """Measure one step and say what all will take; raises TrainingError where it does not fit in memory."""
