"""`doceo run`: everything, on your documents."""

from __future__ import annotations

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.generate import Questions
from doceo.cli.ingest import Fresh, Out, Sources
from doceo.cli.knobs import verb
from doceo.cli.opening import NoOpen

SECTIONS = (
    "generate", "gate", "engine", "dataset", "finetune", "retrieve", "answer", "evaluate", "read", "chunk",
)  # fmt: skip
TOP = ("teacher", "student", "judge", "base", "embedder", "executor", "base_url")


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "run", panel="Start", sections=SECTIONS, top=TOP)
    def run(
        sources: Sources,
        settings: Settings,
        console: Console,
        out: Out = "",
        questions: Questions = None,
        fresh: Fresh = False,
        no_open: NoOpen = False,
    ) -> int | None:
        """Everything on your documents: pairs, a tuned model, cited answers, scores, a report."""
        from data.store import STAGES
        from doceo.app.pipeline import open_run, run_all
        from doceo.cli.outcome import show_outcome

        target = open_run(out, sources, STAGES if fresh else ())
        return show_outcome(run_all(target, sources, questions, settings, console), console, no_open=no_open)
