"""`doceo calibrate`: when to refuse, fitted on questions; or how a model is best given the documents, measured."""

from __future__ import annotations

from typing import Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.ask import CollectionOption, OptionalRun
from doceo.cli.console import Console
from doceo.cli.knobs import verb

QuestionsOption = Annotated[
    str,
    typer.Option(
        "--questions",
        metavar="FILE",
        help="Questions to fit on, one JSON object a line: question, answerable (true or false). Left out, those "
        "that were given before, else some are made from the documents.",
        show_default=False,
    ),
]
ReviewsOption = Annotated[
    str,
    typer.Option(
        "--reviews",
        metavar="FILE",
        help="The same of questions that people have judged since: added to what was fitted on before.",
        show_default=False,
    ),
]
ContextOption = Annotated[
    bool,
    typer.Option(
        "--context",
        help="Compare, with the model on your questions (lines with question and answers), searching for every "
        "question with pinning all documents; `--context auto` of ask and chat then takes what did better.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(
        app, "calibrate", panel="Documents", sections=("calibrate", "retrieve"), top=("model", "embedder", "base_url")
    )
    def calibrate(
        settings: Settings,
        console: Console,
        run: OptionalRun = "",
        collection: CollectionOption = "",
        questions: QuestionsOption = "",
        reviews: ReviewsOption = "",
        context: ContextOption = False,
    ) -> int | None:
        """Fit when to refuse: which questions do these documents answer?"""
        if context:
            _compare(settings, console, run, collection, questions)
            return None
        from doceo.app.calibrating import calibrate_index
        from doceo.cli.shown_calibration import show_calibration

        done = calibrate_index(settings, console, run=run, collection=collection, questions=questions, reviews=reviews)
        show_calibration(console, done)
        console.result(done.as_json())
        console.next_steps('doceo ask "..." --trace')
        return None


def _compare(settings: Settings, console: Console, run: str, collection: str, questions: str) -> None:
    from doceo.app.comparing_contexts import compare_contexts
    from doceo.cli.shown_contexts import show_comparison

    done = compare_contexts(settings, console, run=run, collection=collection, questions=questions)
    show_comparison(console, done)
    console.result(done.model_dump(mode="json"))
    console.next_steps(f'doceo ask "..." --model {done.model} --context auto')
