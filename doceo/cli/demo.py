"""`doceo demo`: the whole loop on the shipped handbook, offline."""

from __future__ import annotations

from typing import Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.ingest import Fresh
from doceo.cli.knobs import verb
from doceo.cli.opening import NoOpen
from doceo.cli.run import SECTIONS

DemoOut = Annotated[str, typer.Option("--out", metavar="RUN", help="Run folder.")]


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "demo", panel="Start", sections=SECTIONS)
    def demo(
        settings: Settings, console: Console, out: DemoOut = "runs/demo", fresh: Fresh = False, no_open: NoOpen = False
    ) -> int | None:
        """`run` on the shipped handbook of Doceo: no key, no GPU, no network, about three minutes."""
        from data.store import STAGES
        from doceo.app.pipeline import open_run, run_all
        from doceo.app.sample import sample
        from doceo.cli.outcome import show_outcome

        shipped = sample()
        generate = settings.generate.model_copy(update={"held_out": shipped.held_out})
        settings = settings.model_copy(update={"generate": generate})
        target = open_run(out, [str(shipped.folder)], STAGES if fresh else ())
        outcome = run_all(target, [str(shipped.folder)], shipped.questions, settings, console)
        return show_outcome(outcome, console, no_open=no_open)
