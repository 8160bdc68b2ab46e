"""`doceo init`: a commented `doceo.toml`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.knobs import verb


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "init", panel="Start")
    def init(
        settings: Settings,
        console: Console,
        force: Annotated[bool, typer.Option("--force", help="Replace the file that is there.")] = False,
    ) -> int | None:
        """Write a commented doceo.toml; on a terminal, ask what you have first."""
        from data.jsonl import write_text
        from doceo.app.machine import describe, suggested_base
        from doceo.app.settings import FILE, example_file
        from doceo.core.errors import UsageError

        path = Path(FILE)
        if path.exists() and not force:
            raise UsageError(f"There is a {FILE} here already.", hint="Edit it, or replace it with --force.")
        machine = describe()
        console.say(machine.words())
        chosen: dict[str, str] = {}
        if sys.stdin.isatty() and not console.as_json:
            chosen["teacher"] = typer.prompt(
                "Who writes the questions? (extractive, ollama:NAME, openai:NAME)", default="extractive"
            )
            base = typer.prompt(
                "Which model is tuned? (doceo-5m ships and is small; or a folder or name on the hub)",
                default=suggested_base(machine),
                show_default=True,
            )
            chosen["base"] = base
        write_text(path, example_file({key: value for key, value in chosen.items() if value}))
        console.show(f"Wrote {path}. Every setting is in it, with its meaning.")
        console.result({"file": str(path), **chosen})
        console.next_steps("doceo run FOLDER", "doceo demo")
        return None
