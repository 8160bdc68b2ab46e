"""`doceo ingest`: files to documents and chunks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.knobs import verb
from doceo.core.errors import UsageError

Sources = Annotated[
    list[str],
    typer.Argument(metavar="SRC", help="Folders, files, globs, or - for what is piped in.", show_default=False),
]
MaybeSources = Annotated[
    list[str] | None,
    typer.Argument(metavar="SRC", help="Folders, files, globs, or - for what is piped in.", show_default=False),
]
Listed = Annotated[
    Path | None,
    typer.Option(
        "--list",
        metavar="FILE",
        help='Instead of SRC: JSONL of {"source": NAME, "path": FILE}, for files that are to be called otherwise.',
        show_default=False,
    ),
]
Out = Annotated[
    str, typer.Option("--out", metavar="RUN", help="Run folder; a bare name lies under runs/.", show_default=False)
]
Fresh = Annotated[
    bool, typer.Option("--fresh", help="Redo finished stages; what stands there stays until they are complete.")
]


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "ingest", panel="Data", sections=("read", "chunk"), top=("embedder", "executor"))
    def ingest(
        settings: Settings,
        console: Console,
        sources: MaybeSources = None,
        listed: Listed = None,
        out: Out = "",
        fresh: Fresh = False,
    ) -> int | None:
        """Read documents and cut them into passages with exact spans."""
        from data.inventory import table
        from data.store import CHUNKS, DOCUMENTS
        from doceo.app.listed_files import read_listed
        from doceo.app.pipeline import open_run, read
        from doceo.cli.shown import show_ingested

        named = [str(listed)] if listed else sources or []
        if bool(listed) == bool(sources):
            raise UsageError("Either SRC or --list FILE says what to read.", hint="doceo ingest FOLDER --out RUN")
        run = open_run(out, named, (DOCUMENTS, CHUNKS) if fresh else ())
        with run.locked():
            ingested = read_listed(run, listed, settings, console) if listed else read(run, named, settings, console)
        show_ingested(console, ingested)
        console.result(
            {
                "run": str(run.path),
                "documents": len(ingested.documents),
                "skipped": [s.model_dump() for s in ingested.skipped],
                "files": [row._asdict() for row in table(ingested.documents, ingested.skipped)],
                "chunks": len(ingested.chunks),
            }
        )
        console.next_steps(f"doceo generate --out {run.path}")
        return None
