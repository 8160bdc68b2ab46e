"""`doceo evaluate`: the held-out questions asked and scored."""

from __future__ import annotations

from typing import Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.export import RunArgument
from doceo.cli.knobs import verb


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "evaluate", panel="Scores", sections=("evaluate", "retrieve", "answer"), top=("embedder", "base_url"))
    def evaluate(
        run: RunArgument,
        settings: Settings,
        console: Console,
        systems: Annotated[
            str,
            typer.Option(
                "--systems",
                metavar="NAMES",
                help="base, tuned, quote or any model, with or without +rag; by commas.",
                show_default=False,
            ),
        ] = "",
    ) -> int | None:
        """Ask every system the held-out questions and score the answers, with intervals."""
        from doceo.app.pipeline import evaluate_run
        from doceo.app.runs import existing_run
        from doceo.cli.shown import show_scores

        target = existing_run(run)
        names = [name.strip() for name in systems.split(",") if name.strip()]
        scores = evaluate_run(target, names, settings, console)
        show_scores(console, scores)
        console.result({"run": str(target.path), "scores": [score.model_dump() for score in scores]})
        console.next_steps(f"doceo report {target.path}")
        return None
