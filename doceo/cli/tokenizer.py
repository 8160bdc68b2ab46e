"""`doceo tokenizer`: texts to a byte-level BPE tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.knobs import verb
from doceo.core.config import TextConfig

Texts = Annotated[
    list[str],
    typer.Argument(
        metavar="TEXT", help="Files (.txt, .jsonl, either gzipped), folders, globs, or -.", show_default=False
    ),
]


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "tokenizer", panel="Models", sections=("texts", "tokenizer"))
    def tokenizer(
        texts: Texts,
        settings: Settings,
        console: Console,
        out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder to write.", show_default=False)],
    ) -> None:
        """Learn a tokenizer from texts: byte-level BPE, digits apart, with a chat template."""
        from doceo.app.tokenizing import make_tokenizer

        made = make_tokenizer(texts, out, settings.tokenizer, settings.texts.fields, console)
        rows = [
            ["tokens", f"{made.tokens:,}"],
            ["characters per token", _figure(made.characters_per_token)],
            ["bytes per token", _figure(made.bytes_per_token)],
            ["held-out characters, on which these are measured", f"{made.held_out_characters:,}"],
            ["characters in all", f"{made.characters:,}"],
            ["texts and pieces of texts", f"{made.texts:,}"],
        ]
        console.table(["tokenizer", str(out)], rows)
        console.show(f"\nLongest tokens: {'  '.join(map(repr, made.longest))}")
        if made.tokens < made.asked:
            console.say(
                f"The text gives {made.tokens:,} tokens, not {made.asked:,}: no pair of them is left to be joined. "
                "More text gives more."
            )
        console.result({"folder": str(out), **made.model_dump()})
        fields = f" --fields {','.join(settings.texts.fields)}" if settings.texts != TextConfig() else ""
        console.next_steps(f"doceo pretrain {' '.join(texts)}{fields} --tokenizer {out} --out model")


def _figure(value: float | None) -> str:
    return "no held-out text" if value is None else f"{value:.2f}"
