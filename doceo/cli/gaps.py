"""`doceo gaps`: where a system is weak."""

from __future__ import annotations

from itertools import groupby
from typing import Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.export import RunArgument
from doceo.cli.knobs import verb
from doceo.core.records import Gap

SHOWN = 10
LEAST = 5
MORE = 60
"""New pairs that the next command asks for."""

System = Annotated[str, typer.Option("--system", metavar="NAME", help="System whose answers count.")]
Set = Annotated[str, typer.Option("--set", metavar="SET", help="taught, unseen, taught-written or unseen-written.")]
Metric = Annotated[str, typer.Option("--metric", metavar="NAME", help="Metric that has a value for every answer.")]


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "gaps", panel="Scores")
    def gaps(
        run: RunArgument,
        settings: Settings,
        console: Console,
        system: System = "tuned",
        set_name: Set = "taught",
        metric: Metric = "f1",
    ) -> int | None:
        """Rank topics, kinds and documents by how weak a system is on them, small ones drawn towards the mean."""
        from doceo.app.gaps import FILE, find_gaps, loop_of
        from doceo.app.loop.allotment import continued
        from doceo.app.runs import existing_run

        target = existing_run(run)
        found = find_gaps(target, system, set_name, metric)
        for axis, some in groupby(found, key=lambda gap: gap.axis):
            _show(console, axis, list(some))
        _show_untouched(console, found)
        console.show(f"\nWeakness: 0 all right, 1 all wrong, of {system} on {set_name} by {metric}; 95 % intervals.")
        asked = {"system": system, "set": set_name, "metric": metric}
        console.result({"run": str(target.path), **asked, "gaps": [gap.model_dump() for gap in found]})
        console.say(f"Written to {target.path / FILE}.")
        topics = [gap for gap in found if gap.axis == "topic"]
        if (loop := loop_of(target)) is not None:
            budget, rounds = continued(loop.budget, loop.rounds)
            idle = "" if loop.gaining else " --no-gain 0, since its last rounds gained nothing beyond chance"
            console.say(f"The loop's own command spends more there with --rounds {rounds} --budget {budget}{idle}.")
        elif topics:
            for line in _warnings(topics):
                console.say(line)
        console.next_steps(*([] if loop else _next(str(target.path), topics)), f"doceo report {target.path}")
        return None


def _show(console: Console, axis: str, found: list[Gap]) -> None:
    rows = [
        [
            gap.key,
            f"{gap.weakness:.2f}",
            f"{gap.low:.2f} to {gap.high:.2f}",
            str(gap.n),
            "-" if gap.pairs is None else str(gap.pairs),
            "-" if gap.covered is None else f"{gap.covered:.0%}",
        ]
        for gap in found[:SHOWN]
    ]
    more = f", the {SHOWN} weakest of {len(found)}" if len(found) > SHOWN else ""
    headers = [axis, "weakness", "interval", "questions", "trained pairs", "text asked about"]
    console.table(headers, rows, title=f"\nBy {axis}{more}")


def _show_untouched(console: Console, found: list[Gap]) -> None:
    """Show where least of the text was asked about: what is not asked is not known to be weak."""
    known = [gap for gap in found if gap.axis == "document" and gap.covered is not None]
    least = sorted(known, key=lambda gap: (gap.covered or 0.0, gap.key))[:LEAST]
    if least:
        console.show(f"\nAsked about least: {', '.join(f'{gap.key} ({gap.covered or 0:.0%})' for gap in least)}.")


def _weak(topics: list[Gap]) -> list[Gap]:
    """Return the weakest topics whose interval lies above the middle of all."""
    middle = sum(gap.weakness for gap in topics) / len(topics)
    return [gap for gap in topics if gap.low > middle][:3]


def _warnings(topics: list[Gap]) -> list[str]:
    """Return what to know before following the next command."""
    alike = "These topics cannot be told apart: all intervals overlap, and the first is named for want of a better one."
    anew = (
        "The next command makes the run's pairs and its test questions anew, so that `doceo gate` will refuse to "
        "compare with the scores of before; `doceo loop` keeps the questions and adds pairs."
    )
    return [anew] if _weak(topics) else [alike, anew]


def _next(run: str, topics: list[Gap]) -> list[str]:
    """Return what to do about the weakest topics, or about the first."""
    if not topics:
        return []
    weak = _weak(topics) or topics[:1]
    pairs = sum(gap.pairs or 0 for gap in topics) + MORE
    share = round(90 / len(weak))
    shares = ",".join(f"{gap.key}={share}" for gap in weak)
    return [f'doceo generate --out {run} --pairs {pairs} --topic-shares "{shares}"']
