"""`doceo pretrain`: plain text to a language model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.knobs import verb
from doceo.cli.tokenizer import Texts
from doceo.pretrain.presets import described


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "pretrain", panel="Models", sections=("texts", "pretrain", "training"))
    def pretrain(
        texts: Texts,
        settings: Settings,
        console: Console,
        out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write.", show_default=False)],
        tokenizer: Annotated[
            str, typer.Option("--tokenizer", metavar="DIR", help="Its tokenizer; left out, one is trained first.")
        ] = "",
        preset: Annotated[str, typer.Option("--preset", metavar="NAME", help=f"A depth by name: {described()}.")] = "",
        config: Annotated[
            Path | None,
            typer.Option("--config", metavar="FILE", help="A config.json to take the architecture from."),
        ] = None,
        further: Annotated[
            str, typer.Option("--from", metavar="MODEL", help="A model to train further: a folder or a hub name.")
        ] = "",
        estimate: Annotated[bool, typer.Option("--estimate", help="Say what it will take, and stop.")] = False,
        force: Annotated[bool, typer.Option("--force", help="Replace a model of other settings.")] = False,
    ) -> None:
        """Train a model on plain text, from nothing or further; a stopped training goes on where it was."""
        from doceo.app.pretraining import Plan, estimate_text, pretrain_text
        from doceo.cli.pretrained import show_estimate, show_pretrained, with_preset

        plan = Plan(tuple(texts), out, tokenizer, config, further, force)
        settings = with_preset(settings, preset)
        if estimate:
            show_estimate(console, estimate_text(plan, settings, console))
            return
        show_pretrained(console, pretrain_text(plan, settings, console), out)
