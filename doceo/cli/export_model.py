"""`doceo export-model`: a trained model in the form that another program opens, compared with the trained one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.knobs import verb


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "export-model", panel="Models", sections=("export",))
    def export_model(
        source: Annotated[
            str,
            typer.Argument(metavar="ADAPTER", help="Folder of an adapter or a model, or a run.", show_default=False),
        ],
        settings: Settings,
        console: Console,
        form: Annotated[
            str,
            typer.Option("--to", metavar="hf|gguf|ollama|vllm", help="The program's form.", show_default=False),
        ],
        out: Annotated[
            Path,
            typer.Option("--out", metavar="DIR", help="Folder to make; an earlier export there is replaced."),
        ],
    ) -> int | None:
        """Merge and write a model for Hugging Face, llama.cpp, Ollama or vLLM, and check that it is the same model."""
        from doceo.app.exporting import export_model as export
        from finetune.export.card import verdict

        done = export(source, form, out, settings.export, console)
        console.show(f"{done.parity.form}: {done.folder}")
        console.show(verdict(done.parity).replace("**", ""))
        console.result({"folder": str(done.folder), "parity": done.parity.model_dump(mode="json")})
        console.next_steps(*done.commands)
        return None
