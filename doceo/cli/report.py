"""`doceo report`: one page that shows a run."""

from __future__ import annotations

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.export import RunArgument
from doceo.cli.knobs import verb
from doceo.cli.opening import NoOpen, open_page


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "report", panel="Start")
    def report(run: RunArgument, settings: Settings, console: Console, no_open: NoOpen = False) -> int | None:
        """Write report.html from whatever stages the run has: answers, dataset, model, scores."""
        from doceo.app.runs import existing_run
        from doceo.app.stages.report import make_report

        page = make_report(existing_run(run))
        console.show(f"Report: {page}")
        console.result({"report": str(page)})
        if not no_open:
            open_page(page)
        return None
