"""`doceo export`: a run's pairs in the form that another tool reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.knobs import verb

RunArgument = Annotated[
    str, typer.Argument(metavar="RUN", help="A run; a bare name lies under runs/.", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "export", panel="Data")
    def export(
        run: RunArgument,
        settings: Settings,
        console: Console,
        out: Annotated[
            Path, typer.Option("--out", metavar="FILE", help="File (beir: folder) to write.", show_default=False)
        ],
        form: Annotated[
            str,
            typer.Option("--format", help="openai, alpaca, sharegpt, completion, csv, parquet, beir, quiz or anki."),
        ] = "openai",
        chosen: Annotated[
            str,
            typer.Option("--set", metavar="SET", help="train, taught, unseen or all; held-out pairs are for testing."),
        ] = "train",
        seed: Annotated[int, typer.Option("--seed", help="Decides the order of a quiz.")] = 0,
    ) -> int | None:
        """Write the training pairs, or another set, with their evidence, in a common format."""
        from data.formats import writer_of
        from doceo.app.runs import existing_run
        from doceo.app.stages.exported import export_pairs

        writer_of(form)
        done = export_pairs(existing_run(run), form, chosen, out, seed)
        console.show(f"{done.rows} rows of {done.pairs} pairs in {out} ({form}, {chosen}).")
        if done.note:
            console.show(done.note)
        console.result({"rows": done.rows, "file": str(out), "format": form, "set": chosen, "note": done.note})
        return None
