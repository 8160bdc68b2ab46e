"""`doceo import`: question and answer pairs from a file into a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.knobs import verb


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "import", panel="Data", sections=("dataset",))
    def import_(
        file: Annotated[
            Path,
            typer.Argument(
                metavar="FILE", help="JSONL, JSON, CSV, TSV or Parquet: an export, or anybody's.", show_default=False
            ),
        ],
        settings: Settings,
        console: Console,
        out: Annotated[
            str,
            typer.Option("--out", metavar="RUN", help="Run to make; a bare name lies under runs/.", show_default=False),
        ],
        form: Annotated[
            str,
            typer.Option(
                "--format",
                help="openai, alpaca, sharegpt, completion, csv, dolly and so on; left out, what each row shows.",
                show_default=False,
            ),
        ] = "",
    ) -> int | None:
        """Make a run of the pairs in a file, with their evidence where the file has it; nothing is held out."""
        from doceo.app.runs import run_at
        from doceo.app.stages.imported import import_file

        run = run_at(out)
        done = import_file(run, file, form, settings.dataset)
        pairs, ledger = done.made.pairs, done.made.ledger
        proven = sum(bool(pair.evidence) for pair in pairs)
        left = ", ".join(f"{n} {reason}" for reason, n in ledger.rejected.items())
        console.show(
            f"{len(pairs)} pairs from {file} ({done.format}), {proven} of them with evidence"
            f"{f'; left out: {left}' if left else ''}{'; unchanged' if done.unchanged else ''}."
        )
        console.result(
            {
                "run": str(run.path),
                "pairs": len(pairs),
                "with_evidence": proven,
                "format": done.format,
                "ledger": ledger.model_dump(),
            }
        )
        console.next_steps(f"doceo report {run.path}", f"doceo finetune {run.path} --base MODEL")
        return None
