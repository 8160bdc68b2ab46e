"""How an estimate and a finished training look on a terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.core.errors import UsageError

if TYPE_CHECKING:
    from doceo.app.pretraining import Outcome
    from doceo.pretrain.estimate import Estimate


def with_preset(settings: Settings, name: str) -> Settings:
    """Return the settings with the depth of a preset, where one is named.

    Raises UsageError where there is no such preset, or another depth is given too.
    """
    if not name:
        return settings
    from doceo.pretrain.presets import preset_depth

    depth, given = preset_depth(name), settings.pretrain.depth
    if "depth" in settings.pretrain.model_fields_set and given != depth:
        raise UsageError(f"--preset {name} is depth {depth}, and depth {given} is given too.", hint="Give one of them.")
    pretrain = settings.pretrain.model_copy(update={"depth": depth})
    return settings.model_copy(update={"pretrain": pretrain})


def show_estimate(console: Console, estimate: Estimate) -> None:
    """Show what a training will take."""
    console.show(str(estimate))
    console.result(estimate.model_dump())


def show_pretrained(console: Console, outcome: Outcome, out: Path) -> None:
    """Show what came of a training, and what can be done with the model."""
    result = outcome.result
    if outcome.unchanged:
        console.show(f"Nothing to do: {out} was made from the same text and settings.")
    else:
        bits = "not measured" if result.bits_per_byte is None else f"{result.bits_per_byte:.3f}"
        rows = [
            ["parameters", f"{result.parameters:,}"],
            ["tokens trained on", f"{result.tokens:,}"],
            ["steps", f"{result.steps:,}"],
            ["minutes", f"{result.seconds / 60:.1f}"],
            ["loss (nats per token)", f"{result.loss:.3f}"],
            ["held-out text (bits per byte)", bits],
        ]
        console.table(["model", str(out)], rows)
    console.result({"model": str(out), "unchanged": outcome.unchanged, **result.model_dump()})
    # It continues text; asked as it is, it would hardly answer.
    console.next_steps(
        f"doceo finetune rows.jsonl --base {out} --out adapter", 'doceo ask "..." --no-documents --model hf:adapter'
    )
