"""How long a training will take and how much memory, said before it starts."""

from __future__ import annotations

from pathlib import Path

from doceo.core.config import FinetuneConfig
from doceo.core.protocols import Progress


def say_estimate(rows: Path, base: str, config: FinetuneConfig, progress: Progress) -> None:
    """Take one step and say what all of them will take. Raises TrainingError where it does not fit in memory."""
    from finetune.memory import estimate

    progress.say("Measuring one step before the training starts ...")
    measured = estimate(base, config, rows)
    progress.say(
        f"Fine-tuning {base} ({measured.parameters / 1e6:.1f}M parameters, {measured.trainable / 1e6:.2f}M trained, "
        f"{measured.steps} steps): {measured}."
    )
