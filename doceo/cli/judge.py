"""`doceo judge`: a judge measured against people's labels."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.knobs import verb


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "judge", panel="Scores", top=("judge", "teacher", "base_url"), sections=("engine", "gate"))
    def judge(
        settings: Settings,
        console: Console,
        check: Annotated[
            bool, typer.Option("--check", help="Measure the judge; without it, show what was measured.")
        ] = False,
        labels: Annotated[
            Path | None,
            typer.Option("--labels", metavar="FILE", help="Labelled pairs (JSONL); left out, those that ship."),
        ] = None,
    ) -> int | None:
        """Measure a judge of pairs against labels: pairs that people wrote, and pairs with a fault put into them.

        Answers are judged by `doceo evaluate RUN --judge MODEL`.
        """
        from doceo.app.stages.judging import check_judge, measured_judges
        from generator.judge_check import in_words

        if not check:
            known = measured_judges()
            for one in known:
                console.show(f"{one.model}: {in_words(one)}")
            if not known:
                console.show("No judge was measured here. Measure one with: doceo judge --check --judge MODEL")
            console.result({"measured": [one.model_dump(mode="json") for one in known]})
            return None
        found, path = check_judge(settings, labels, console)
        rows = [
            [name, str(one.n), f"{one.recall:.2f}", "" if one.precision is None else f"{one.precision:.2f}"]
            for name, one in found.faults.items()
        ]
        console.table(["fault", "pairs", "recall", "precision"], rows)
        console.show(f"{found.model} {in_words(found)}.")
        console.show(f"Kept in {path}; the card of a set that it judges prints it.")
        console.result({**found.model_dump(mode="json"), "file": str(path)})
        return None
