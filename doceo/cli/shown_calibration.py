"""How a calibration looks on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doceo.cli.console import Console
from rag.calibration import Fit

if TYPE_CHECKING:
    from doceo.app.calibrating import Calibrated


def show_calibration(console: Console, done: Calibrated) -> None:
    """Show on what was fitted, how well answerable questions are told from others, and what the thresholds do."""
    found = done.calibration
    yes = sum(point.answerable for point in found.points)
    origins = ", ".join(f"{n} {origin}" for origin, n in done.origins.items())
    console.show(
        f"{len(found.points)} questions ({origins}): what was found answers {yes} and does not answer "
        f"{len(found.points) - yes}."
    )
    rows = [_row("a model", found.model), _row("quote", found.quote)]
    headers = ["who answers", "AUROC", "95 %", "top cosine", "threshold", "risk", "95 %", "coverage"]
    console.table(headers, rows, title="")
    console.show(f"Thresholds: {found.wanted}. Every figure is of questions that the fit had not seen.")
    for note in done.notes:
        console.show(note)
    console.show(f"\nCurve: {done.curve}")


def _row(who: str, fit: Fit) -> list[str]:
    return [
        who,
        f"{fit.auroc:.3f}",
        "{:.2f}-{:.2f}".format(*fit.auroc_interval),
        f"{fit.cosine_auroc:.3f}",
        f"{fit.threshold:.2f}",
        f"{fit.risk:.1%}",
        "{:.0%}-{:.0%}".format(*fit.risk_interval),
        f"{fit.coverage:.0%}",
    ]
