"""`doceo models`: the bases and adapters that are here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.knobs import verb


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "models", panel="Models")
    def models(
        folders: Annotated[
            list[str] | None,
            typer.Argument(metavar="[DIR]...", help="Where to look; left out, runs/.", show_default=False),
        ] = None,
        *,
        settings: Settings,
        console: Console,
    ) -> int | None:
        """List bases and the adapters on them, several adapters of one base together."""
        from doceo.app.models_list import list_models

        found = list_models([Path(folder).expanduser() for folder in folders or ()])
        console.result({"models": [model.model_dump() for model in found]})
        if not found:
            console.show("No models here yet. Make one with: doceo run SRC --out NAME, or doceo finetune")
            return None
        rows = []
        shown = ""
        for model in found:
            if model.base and model.base != shown:
                shown = model.base
                rows += [[f"on {shown}", *[""] * 8]]
            rows.append(
                [
                    f"{'  ' if model.base else ''}{model.path}",
                    model.kind if model.kind == "base" else model.method or model.kind,
                    _number(model.parameters),
                    _number(model.trainable),
                    _number(model.rows),
                    _loss(model.base_loss),
                    _loss(model.held_out_loss),
                    _loss(model.forgetting, "+.3f"),
                    model.date,
                ]
            )
        headers = ["model", "kind", "parameters", "trained", "rows", "base loss", "loss", "forgetting", "date"]
        console.table(headers, rows)
        return None


def _number(value: int | None) -> str:
    if value is None:
        return ""
    return f"{value / 1e6:.1f}M" if value >= 1_000_000 else f"{value:,}"


def _loss(value: float | None, form: str = ".3f") -> str:
    return "" if value is None else f"{value:{form}}"
