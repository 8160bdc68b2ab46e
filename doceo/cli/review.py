"""`doceo review`: what a person decided on the pairs, applied to a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.export import RunArgument
from doceo.cli.knobs import verb

LISTED = 5
"""Unknown pairs that are named."""


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "review", panel="Data")
    def review(
        run: RunArgument,
        settings: Settings,
        console: Console,
        apply: Annotated[
            Path,
            typer.Option(
                "--apply", metavar="FILE", help="review.json, saved on the report's page.", show_default=False
            ),
        ],
    ) -> int | None:
        """Drop the pairs that a person dropped on the report's page; dataset, coverage and card follow."""
        from doceo.app.runs import existing_run
        from doceo.app.stages.reviewed import review_run

        target = existing_run(run)
        with target.locked():
            done = review_run(target, apply)
        console.show(
            f"{done.kept} kept, {done.dropped} dropped now, {done.restored} taken back: "
            f"{len(done.pairs)} of {done.ledger.requested} pairs are left."
        )
        if done.unknown:
            names = ", ".join(done.unknown[:LISTED]) + (" ..." if len(done.unknown) > LISTED else "")
            console.say(f"{len(done.unknown)} decisions are on pairs that the run does not have: {names}")
        console.result(
            {
                "run": str(target.path),
                "kept": done.kept,
                "dropped": done.dropped,
                "restored": done.restored,
                "unknown": list(done.unknown),
                "pairs": len(done.pairs),
                "ledger": done.ledger.model_dump(),
            }
        )
        console.next_steps(f"doceo report {target.path}", f"doceo finetune {target.path} --base MODEL")
        return None
