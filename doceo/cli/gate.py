"""`doceo gate`: a run checked against a baseline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.export import RunArgument
from doceo.cli.knobs import verb

if TYPE_CHECKING:
    from doceo.app.gating import Gate

NOT_PASSED = 4
SHOWN = 60
"""Checks that are shown one by one; of more, only those that are worse or seem so."""


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "gate", panel="Scores", sections=("regression",), top=("embedder",))
    def gate(
        run: RunArgument,
        settings: Settings,
        console: Console,
        baseline: Annotated[
            str, typer.Option("--baseline", metavar="RUN", help="The run to compare with.", show_default=False)
        ],
        junit: Annotated[
            Path | None,
            typer.Option("--junit", metavar="FILE", help="Write the checks as JUnit XML.", show_default=False),
        ] = None,
    ) -> int | None:
        """Fail where a run answers the same questions worse than its baseline, by more than allowed and by chance."""
        from data.jsonl import write_text
        from doceo.app.gating import gate_run
        from doceo.app.runs import existing_run
        from evaluation.junit import junit as as_junit

        made = gate_run(existing_run(run), existing_run(baseline), settings, console)
        if junit is not None:
            write_text(junit, as_junit(f"doceo gate {made.run} --baseline {made.baseline}", made.checks))
        _show(console, made)
        console.result(made.model_dump(mode="json"))
        return None if made.passed else NOT_PASSED


def _show(console: Console, gate: Gate) -> None:
    from evaluation.gate import CHANCE
    from evaluation.gate_words import HEAD, cells, summary

    notable = [check for check in gate.checks if check.outcome == "worse" or check.note == CHANCE]
    shown = notable if len(gate.checks) > SHOWN else gate.checks
    for place in dict.fromkeys((check.set, check.system) for check in shown):
        rows = [cells(check) for check in shown if (check.set, check.system) == place]
        console.table(HEAD, rows, title=f"\n{place[1]}, {place[0]}: {gate.run} against {gate.baseline}")
    if len(shown) < len(gate.checks):
        console.show(f"{len(gate.checks) - len(shown)} other checks held; --json and --junit list them.")
    console.show(
        "Changes with 95 % intervals that hold for all checks together; sees: the smallest true loss that would be "
        "found four times in five. Worse: the whole interval lies beyond what is allowed, and chance does not explain "
        "it."
    )
    if gate.left_out:
        console.show(f"Not checked: {'; '.join(gate.left_out)}.")
    for line in summary(gate.checks):
        console.show(line)
