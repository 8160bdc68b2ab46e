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
        chosen: Annotated[
            str,
            typer.Option("--set", metavar="SET", help="train, taught, unseen or all; held-out pairs are for testing."),
        ] = "train",
    ) -> int | None:
        """Write the training pairs, or another set, with their evidence, in a common format."""
        from data.formats import writer_of
        from doceo.app.runs import existing_run
        from doceo.app.stages.documents import load_ingested
        from doceo.app.stages.sets import pairs_by_set
        from doceo.core.errors import UsageError

        write = writer_of(form)
        source = existing_run(run)
        pairs = pairs_by_set(source)
        if chosen not in (*pairs, "all"):
            raise UsageError(f"There is no set {chosen!r}.", hint=f"Sets: {', '.join(pairs)}, all.")
        wanted = [pair for name, group in pairs.items() if chosen in (name, "all") for pair in group]
        chunks = {chunk.id: chunk for chunk in load_ingested(source).chunks}
        rows = write(wanted, chunks, out)
        console.show(f"{rows} rows of {sum(map(len, pairs.values()))} pairs in {out} ({form}, {chosen}).")
        console.result({"rows": rows, "file": str(out), "format": form, "set": chosen})
        return None
