"""`doceo compare`: systems of several runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.knobs import verb

if TYPE_CHECKING:
    from doceo.app.comparing import Comparison


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "compare", panel="Scores", sections=("evaluate",), top=("embedder",))
    def compare(
        runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Evaluated runs.", show_default=False)],
        settings: Settings,
        console: Console,
        systems: Annotated[
            str,
            typer.Option(
                "--systems",
                metavar="NAMES",
                help="Systems to compare, as SYSTEM or RUN/SYSTEM, by commas; left out, all.",
                show_default=False,
            ),
        ] = "",
        out: Annotated[
            Path | None,
            typer.Option("--out", metavar="DIR", help="Write scores, items and slices there.", show_default=False),
        ] = None,
    ) -> int | None:
        """Compare the stored answers of runs, or of one run's systems, on the questions that all of them answered."""
        from doceo.app.comparing import compare_runs, write_comparison
        from doceo.app.runs import existing_run

        named = [name.strip() for name in systems.split(",") if name.strip()]
        made = compare_runs([existing_run(run) for run in runs], settings, console, named)
        if out is not None:
            write_comparison(made, out)
        _show(console, made, settings.evaluate.primary)
        console.result(
            {
                "baseline": made.baseline,
                "systems": made.systems,
                "questions": made.questions,
                "notes": made.notes,
                "scores": [score.model_dump() for score in made.scored.scores],
                "slices": [one.model_dump() for one in made.scored.slices],
                "out": str(out) if out else None,
            }
        )
        return None


def _show(console: Console, made: Comparison, primary: str) -> None:
    from doceo.cli.shown import show_scores
    from evaluation.comparison import DIFFERENCES, differences, reading

    show_scores(console, made.scored.scores)
    for set_name, n in made.questions.items():
        rows = differences([score for score in made.scored.scores if score.set == set_name], primary)
        if rows:
            console.table(DIFFERENCES, rows, title=f"\n{set_name}: differences to {made.baseline} ({n} questions)")
    if len(made.systems) > 1:
        console.show(reading(made.baseline))
    _show_slices(console, made)
    for note in made.notes:
        console.show(f"{note[0].upper()}{note[1:]}.")


def _show_slices(console: Console, made: Comparison) -> None:
    from evaluation.comparison import MOST_KEYS, slice_tables

    slices = made.scored.slices
    for place in dict.fromkeys((one.set, one.metric, one.axis) for one in slices):
        some = [one for one in slices if (one.set, one.metric, one.axis) == place]
        more = len({one.key for one in some}) - MOST_KEYS
        title = f"\n{place[0]}: {some[0].label} by {place[2]}" + (f", the {MOST_KEYS} largest" if more > 0 else "")
        for headers, rows in slice_tables(some, made.systems, console.width):
            console.table(headers, rows, title=title)
            title = " "
