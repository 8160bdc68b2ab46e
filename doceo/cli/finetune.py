"""`doceo finetune`: a dataset to an adapter."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.knobs import verb


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "finetune", panel="Models", sections=("finetune",), top=("base",))
    def finetune(
        source: Annotated[
            str, typer.Argument(metavar="RUN|FILE", help="A run, or a JSONL file of chat rows.", show_default=False)
        ],
        settings: Settings,
        console: Console,
        out: Annotated[
            str,
            typer.Option(
                "--out", metavar="DIR", help="Where the adapter goes; for a run, its 5-adapter.", show_default=False
            ),
        ] = "",
        resume: Annotated[
            bool, typer.Option("--resume", help="Go on with an interrupted training, which happens by itself.")
        ] = False,
        force: Annotated[bool, typer.Option("--force", help="Replace a finished adapter of other settings.")] = False,
    ) -> int | None:
        """Tune a base model with LoRA; an interrupted training goes on where it stopped."""
        from doceo.app.pipeline import finetune_file, finetune_run
        from doceo.app.runs import existing_run
        from doceo.core.errors import UsageError

        file = Path(source)
        if file.is_file():
            if not out or not settings.base:
                raise UsageError(
                    "A file needs --base and --out.", hint="doceo finetune rows.jsonl --base MODEL --out DIR"
                )
            folder = finetune_file(file, Path(out), settings, console, force=force)
            steps = [f'doceo ask "..." --no-documents --model hf:{folder}']
        else:
            run = existing_run(source)
            folder = finetune_run(run, Path(out) if out else None, settings, console, force=force)
            own = [f"doceo evaluate {run.path}", f"doceo chat {run.path} --model tuned"]
            steps = [f"doceo chat {run.path} --model hf:{folder}"] if out else own
        console.show(f"Adapter: {folder}")
        console.result({"adapter": str(folder)})
        console.next_steps(*steps)
        return None
