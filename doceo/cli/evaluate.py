"""`doceo evaluate`: the held-out questions asked and scored."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.export import RunArgument
from doceo.cli.knobs import verb

if TYPE_CHECKING:
    from data.store import Run

SystemsOption = Annotated[
    str,
    typer.Option(
        "--systems",
        metavar="NAMES",
        help="base, tuned, quote, adapter:FOLDER, recorded or any model, with or without +rag; by commas. Answers of "
        "others stay.",
        show_default=False,
    ),
]
PromptsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--prompt",
        metavar="FILE",
        help="Ask each model with this system message too, as NAME@FILE; may be repeated.",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the verb."""
    sections = ("evaluate", "judging", "retrieve", "answer", "engine")

    @verb(app, "evaluate", panel="Scores", sections=sections, top=("embedder", "base_url"))
    def evaluate(
        run: RunArgument,
        settings: Settings,
        console: Console,
        systems: SystemsOption = "",
        prompts: PromptsOption = None,
        judge: Annotated[
            str,
            typer.Option(
                "--judge",
                metavar="KIND:NAME",
                help="Model that marks the answers too, such as openai:MODEL; what it says never decides alone.",
                show_default=False,
            ),
        ] = "",
        ablate: Annotated[
            str,
            typer.Option(
                "--ablate",
                metavar="PARTS",
                help="Instead: ask the questions of conversations with and without history, profile (by commas), and "
                "say whether they help.",
                show_default=False,
            ),
        ] = "",
    ) -> int | None:
        """Ask every system the held-out questions and score the answers, with intervals."""
        from doceo.app.runs import existing_run

        target, names = existing_run(run), _names(systems)
        if ablate:
            return _ablated(target, _names(ablate), names, settings, console)
        _evaluated(target, names, prompts or [], judge, settings, console)
        return None


def _evaluated(
    run: Run, systems: list[str], prompts: list[Path], judge: str, settings: Settings, console: Console
) -> None:
    from doceo.app.pipeline import evaluate_run
    from doceo.app.stages.scores import citations, load_judge_summary, load_verdict
    from doceo.cli.shown import show_scores, show_verdict

    scores = evaluate_run(run, systems, settings, console, prompts, judge)
    cited, verdict, judged = citations(run), load_verdict(run), load_judge_summary(run)
    show_scores(console, scores)
    if not scores:
        console.say(
            "No question was held out in this run, so that there is nothing to score: generate from more documents, or "
            "give questions that people wrote (--questions FILE of `doceo run`)."
        )
    for set_name, some in groupby(cited, key=lambda one: one.set):
        console.show(f"Citations, {set_name}: {'; '.join(one.words for one in some)}.")
    for line in judged.lines if judged else ():
        console.show(line)
    if scores:
        show_verdict(console, verdict)
    made = {"scores": [score.model_dump() for score in scores], "citations": [one.model_dump() for one in cited]}
    told = {"judge": judged.model_dump()} if judged else {}
    console.result({"run": str(run.path), **made, **told, "verdict": verdict.model_dump()})
    console.next_steps(f"doceo report {run.path}")


def _names(listed: str) -> list[str]:
    return [name.strip() for name in listed.split(",") if name.strip()]


def _ablated(run: Run, parts: list[str], systems: list[str], settings: Settings, console: Console) -> int | None:
    from doceo.app.ablation import ablate_run
    from doceo.cli.shown_ablation import show_ablation

    results = ablate_run(run, parts, systems, settings, console)
    show_ablation(console, results)
    console.result({"run": str(run.path), "ablation": [one.model_dump() for one in results]})
    return None
