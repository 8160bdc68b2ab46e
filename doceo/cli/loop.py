"""`doceo loop`: rounds that spend their budget where the model is weak."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.generate import MaybeSources, Questions
from doceo.cli.ingest import Fresh, Out
from doceo.cli.knobs import verb

if TYPE_CHECKING:
    from doceo.app.loop.running import Outcome
    from doceo.core.loop import LoopRecord, Mean

SECTIONS = (
    "loop", "generate", "gate", "engine", "dataset", "finetune", "retrieve", "answer", "evaluate", "read", "chunk",
)  # fmt: skip
TOP = ("teacher", "student", "judge", "base", "embedder", "base_url")
Systems = Annotated[
    str,
    typer.Option(
        "--systems",
        metavar="NAMES",
        help="What is asked after every round, by commas; the first one's answers decide where the budget goes.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "loop", panel="Scores", sections=SECTIONS, top=TOP)
    def loop(
        settings: Settings,
        console: Console,
        sources: MaybeSources = None,
        out: Out = "",
        questions: Questions = None,
        systems: Systems = "tuned",
        fresh: Fresh = False,
    ) -> int | None:
        """Generate, fine-tune, evaluate, and generate again where the model is weak, round by round."""
        from data.store import EXAM, STAGES
        from doceo.app.loop import run_loop
        from doceo.app.pipeline import open_run

        target = open_run(out, sources or [], (*STAGES, EXAM) if fresh else ())
        names = [name.strip() for name in systems.split(",") if name.strip()]
        outcome = run_loop(target, sources or [], settings, questions=questions, systems=names, progress=console)
        return _shown(outcome, console)


def _shown(outcome: Outcome, console: Console) -> int | None:
    record, path = outcome.record, outcome.run.path
    console.result({"run": str(path), "unchanged": outcome.unchanged, "loop": record.model_dump(mode="json")})
    if outcome.unchanged:
        said = " ".join((*record.words[:1], *record.ends))
        console.show(f"{path} is finished and nothing has changed; --fresh redoes it. {said}")
        return None
    _show_standings(record, console)
    _show_areas(record, console)
    for note in record.notes:
        console.show(note)
    console.show("\n" + "\n".join((f"Exam: {record.exam.words}.", *record.words)))
    last = path / (record.series[0].rounds[-1].folder if record.series[0].rounds else record.start.folder)
    console.next_steps(f"doceo report {path}", f"doceo gaps {last}", f"doceo chat {last}")
    for line in record.ends:
        console.say(line)
    return 3 if any(series.stopped == "nothing left to teach" for series in record.series) else None


def _show_standings(record: LoopRecord, console: Console) -> None:
    asked = {mean.set: mean.n for mean in record.start.means}
    rows = []
    for one in record.standings:
        means = {mean.set: mean for mean in one.means}
        shown = [_mean(means.get(name), n) for name, n in asked.items()]
        rows.append([str(one.round), one.arm, f"{one.pairs:g}", *shown])
    sets = [f"{name} (n = {n})" for name, n in asked.items()]
    seeds = record.standings[0].seeds
    over = f", mean of {seeds} seeds" if seeds > 1 else ""
    title = f"\n{record.metric} of {record.system}, by round{over}"
    console.table(["round", "budget by", "pairs", *sets], rows, title=title)


def _mean(mean: Mean | None, asked: int) -> str:
    """Return a mean, and of how many answers where the metric has no value for as many as of the base."""
    if mean is None:
        return "-"
    spread = "" if mean.low is None else f" ({mean.low:.1f} to {mean.high:.1f})"
    return f"{mean.value:.1f}{spread}" + ("" if mean.n == asked else f", n = {mean.n}")


def _show_areas(record: LoopRecord, console: Console) -> None:
    """Show where the budget went, the area on which the base was weakest first."""
    arms: dict[str, list[dict[str, int]]] = {}
    for series in record.series:
        if series.rounds:
            arms.setdefault(series.arm, []).append(series.rounds[-1].by_area)
    text = {area.key: area.text for area in record.areas}
    rows = [
        [
            gap.key,
            f"{text[gap.key]:.0%}",
            f"{gap.weakness:.2f}",
            *(f"{sum(made.get(gap.key, 0) for made in found) / len(found):.3g}" for found in arms.values()),
        ]
        for gap in record.start.gaps
    ]
    headers = [record.axis, "text", "weakness of the base", *(f"pairs, {arm}" for arm in arms)]
    console.table(headers, rows, title="\nWhere the budget went")
