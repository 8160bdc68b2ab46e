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
        """List bases and the adapters on them, several adapters of one base together.

        `before` and `after` are the losses on held-out rows without and with the adapter, `forgot` is the rise of the
        loss on general text.
        """
        from doceo.app.models_list import list_models

        found = list_models([Path(folder).expanduser() for folder in folders or ()])
        console.result({"models": [model.model_dump() for model in found]})
        if not found:
            where = " and ".join(folders or ["runs/"])
            console.show(
                f"No models here yet: looked in {where}. Look elsewhere, such as `doceo models .`. "
                "Make one with: doceo pretrain, doceo finetune or doceo run"
            )
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
        headers = ["model", "kind", "size", "trained", "rows", "before", "after", "forgot", "date"]
        console.table(headers, rows)
        return None


def _number(value: int | None) -> str:
    if value is None:
        return ""
    return f"{value / 1e6:.1f}M" if value >= 1_000_000 else f"{value:,}"


def _loss(value: float | None, form: str = ".3f") -> str:
    return "" if value is None else f"{value:{form}}"
