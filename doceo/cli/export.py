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
            str, typer.Option("--format", help="openai, alpaca, sharegpt, completion, csv, parquet or beir.")
        ] = "openai",
    ) -> int | None:
        """Write the accepted pairs, with their evidence, in a common format."""
        from data.formats import writer_of
        from doceo.app.runs import existing_run
        from doceo.app.stages.documents import load_ingested
        from doceo.app.stages.pairs import load_pairs

        write = writer_of(form)
        source = existing_run(run)
        made = load_pairs(source)
        chunks = {chunk.id: chunk for chunk in load_ingested(source).chunks}
        rows = write(made.pairs, chunks, out)
        console.show(f"{rows} rows in {out} ({form}).")
        console.result({"rows": rows, "file": str(out), "format": form})
        return None
