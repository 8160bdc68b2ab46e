"""`doceo generate`: documents to pairs and a dataset."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.ingest import Fresh, Out
from doceo.cli.knobs import verb

if TYPE_CHECKING:
    from data.store import Run
    from doceo.app.stages.documents import Ingested
    from doceo.app.stages.pairs import Made

MaybeSources = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="SRC", help="Folders, files or globs; left out where RUN has documents.", show_default=False
    ),
]
Questions = Annotated[
    Path | None,
    typer.Option(
        "--questions", metavar="FILE", help="Held-out questions that people wrote, as JSONL.", show_default=False
    ),
]


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(
        app,
        "generate",
        panel="Data",
        sections=("generate", "gate", "engine", "dataset", "read", "chunk"),
        top=("teacher", "student", "judge", "embedder", "executor", "base_url"),
    )
    def generate(
        settings: Settings,
        console: Console,
        sources: MaybeSources = None,
        out: Out = "",
        questions: Questions = None,
        estimate: Annotated[
            bool, typer.Option("--estimate", help="Say what it would take and cost, and ask nothing of any model.")
        ] = False,
        fresh: Fresh = False,
    ) -> int | None:
        """Make question-answer pairs with exact evidence, and a dataset with held-out sets."""
        from data.store import CHUNKS, DATASET, DOCUMENTS, PAIRS
        from doceo.app.pipeline import generate_dataset, open_run, read_or_load, shortfall

        run = open_run(out, sources or [], (DOCUMENTS, CHUNKS, PAIRS, DATASET) if fresh else ())
        with run.locked():
            ingested = read_or_load(run, sources or [], settings, console)
            if estimate:
                _estimate(run, ingested, settings, console)
                return None
            made = generate_dataset(run, ingested, questions, settings, console)
        short = shortfall(made, ingested, settings)
        _show(run, made, short, console)
        if short:
            console.say(short)
            return 3
        return None


def _show(run: Run, made: Made, short: str, console: Console) -> None:
    from doceo.cli.shown import show_learned, show_ledger, show_pairs

    show_ledger(console, made.ledger)
    show_learned(console, made.learned)
    show_pairs(console, made)
    console.result(
        {
            "run": str(run.path),
            "pairs": len(made.pairs),
            "ledger": made.ledger.model_dump(),
            "learned": [change.model_dump() for change in made.learned],
            "short": short,
        }
    )
    console.next_steps(
        f"doceo report {run.path}",
        f"doceo finetune {run.path} --base MODEL",
        f"doceo export {run.path} --format openai --out train.jsonl",
    )


def _estimate(run: Run, ingested: Ingested, settings: Settings, console: Console) -> None:
    from doceo.app.stages.estimate_pairs import estimate_pairs

    expected = estimate_pairs(run, ingested, settings, console)
    console.show(str(expected))
    console.result({"run": str(run.path), "estimate": expected.model_dump()})
