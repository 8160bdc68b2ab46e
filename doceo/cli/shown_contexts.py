"""How the comparison of retrieval and pinning looks on a terminal."""

from __future__ import annotations

from doceo.app.contexts import Comparison, Way
from doceo.cli.console import Console

_HEADERS = ["documents", "F1", "refused", "s a question", "first", "prompt tokens", "cached"]


def show_comparison(console: Console, done: Comparison) -> None:
    """Show what each way scored and cost a question, which is taken, and why."""
    rows = [_row("retrieved", done.retrieve), *([_row("pinned", done.pin)] if done.pin else [])]
    console.table(_HEADERS, rows, title=f"{done.model}, {done.questions} questions")
    taken = "Pin all documents" if done.choice == "pin" else "Retrieve"
    console.show(f"{taken}: {done.why}")


def _row(name: str, way: Way) -> list[str]:
    cached = f"{way.cached_tokens:,.0f}" if way.cached_tokens else "none reported"
    return [
        name,
        f"{way.score:.1f}",
        f"{way.refused:.0%}",
        f"{way.seconds:.2f}",
        f"{way.first_seconds:.2f}",
        f"{way.prompt_tokens:,.0f}",
        cached,
    ]
