"""What `run` and `demo` show at the end."""

from __future__ import annotations

from doceo.app.pipeline import Outcome
from doceo.app.stages.scores import load_verdict
from doceo.cli.console import Console
from doceo.cli.opening import open_page
from doceo.cli.shown import show_ingested, show_ledger, show_pairs, show_scores, show_verdict


def show_outcome(outcome: Outcome, console: Console, *, no_open: bool) -> int | None:
    """Show what a run came to and return the exit code."""
    run, verdict = outcome.run, load_verdict(outcome.run)
    if outcome.unchanged:
        console.show(f"{run.path} is finished and nothing has changed; --fresh redoes it. Report: {outcome.report}")
    else:
        show_ingested(console, outcome.ingested)
        show_ledger(console, outcome.made.ledger)
        show_pairs(console, outcome.made)
        show_scores(console, outcome.scores)
        if outcome.scores:
            show_verdict(console, verdict)
        console.show(f"\nReport: {outcome.report}")
    console.result(
        {
            "run": str(run.path),
            "documents": len(outcome.ingested.documents),
            "pairs": len(outcome.made.pairs),
            "ledger": outcome.made.ledger.model_dump(),
            "scores": [score.model_dump() for score in outcome.scores],
            "verdict": verdict.model_dump(),
            "report": str(outcome.report),
            "short": outcome.short,
            "unchanged": outcome.unchanged,
        }
    )
    if outcome.unchanged:
        return None
    if not no_open:
        open_page(outcome.report)
    console.next_steps(
        f"doceo chat {run.path}",
        f'doceo ask "..." --run {run.path}',
        f"doceo report {run.path}",
        f"doceo serve {run.path}",
    )
    if outcome.short:
        console.say(outcome.short)
        return 3
    return None
