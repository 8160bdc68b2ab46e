"""`doceo import`: question and answer pairs, or stored chats, from a file into a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.knobs import verb
from doceo.core.errors import UsageError

if TYPE_CHECKING:
    from data.store import Run

OutOption = Annotated[
    str, typer.Option("--out", metavar="RUN", help="Run to make; a bare name lies under runs/.", show_default=False)
]
PairsArgument = Annotated[
    Path | None,
    typer.Argument(
        metavar="FILE", help="JSONL, JSON, CSV, TSV or Parquet: an export, or anybody's.", show_default=False
    ),
]
FormatOption = Annotated[
    str,
    typer.Option(
        "--format",
        help="openai, alpaca, sharegpt, completion, csv, dolly and so on; left out, what each row shows.",
        show_default=False,
    ),
]
TracesOption = Annotated[
    Path | None,
    typer.Option(
        "--traces",
        metavar="FILE",
        help="Instead: stored chats (JSONL), whose questions other systems can then be asked.",
        show_default=False,
    ),
]
ReferencesOption = Annotated[
    Path | None,
    typer.Option(
        "--references",
        metavar="FILE",
        help="Right answers and ratings of the chats, by id or question (CSV or JSONL).",
        show_default=False,
    ),
]
SourceOption = Annotated[
    str, typer.Option("--run", metavar="RUN", help="Run that the chats were had with.", show_default=False)
]
OverOption = Annotated[
    str, typer.Option("--collection", metavar="C", help="Collection that the chats were had over.", show_default=False)
]


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "import", panel="Data", sections=("dataset",), top=("embedder",))
    def import_(
        settings: Settings,
        console: Console,
        out: OutOption,
        file: PairsArgument = None,
        form: FormatOption = "",
        traces: TracesOption = None,
        references: ReferencesOption = None,
        source: SourceOption = "",
        collection: OverOption = "",
    ) -> int | None:
        """Make a run of the pairs in a file, or of stored chats."""
        from doceo.app.runs import run_at

        if traces is not None:
            if file is not None or form:
                raise UsageError("--traces goes with neither FILE nor --format.", hint="Import them into two runs.")
            return _traces(run_at(out), traces, references, source, collection, settings, console)
        if file is None or references or source or collection:
            hint = "doceo import FILE --out RUN, or doceo import --traces FILE --out RUN"
            raise UsageError("There is no FILE of pairs, and no --traces FILE.", hint=hint)
        return _pairs(run_at(out), file, form, settings, console)


def _pairs(run: Run, file: Path, form: str, settings: Settings, console: Console) -> int | None:
    from doceo.app.stages.imported import import_file

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


def _traces(
    run: Run,
    traces: Path,
    references: Path | None,
    source: str,
    collection: str,
    settings: Settings,
    console: Console,
) -> int | None:
    from dataclasses import asdict

    from doceo.app.replay import import_traces
    from doceo.app.runs import collection_folder, existing_run

    if source and collection:
        raise UsageError("--run and --collection name two origins.", hint="Name one of them.")
    held_with = existing_run(source) if source else None
    index = held_with.index if held_with else collection_folder(collection) if collection else None
    done = import_traces(run, traces, references, held_with, index, settings)
    sets = ", ".join(f"{n} {name}" for name, n in done.sets.items())
    console.show(
        f"{sum(done.sets.values())} questions from {traces} ({sets}), {done.referenced} with a reference, {done.rated} "
        f"rated{'; unchanged' if done.unchanged else ''}."
    )
    if done.cited:
        console.show(f"{done.standing} of the {done.cited} places that the answers cite stand in the run's documents.")
    if not done.documents:
        console.say(
            "The run has no documents: only what needs none is measured. --run or --collection names what the chats "
            "were had over."
        )
    console.result({"run": str(run.path), **asdict(done)})
    others = " --systems recorded,quote+rag --baseline recorded" if done.documents else ""
    console.next_steps(f"doceo evaluate {run.path}{others}")
    return None
