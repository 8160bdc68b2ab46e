"""`doceo ask`: one question, one cited answer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.knobs import verb

if TYPE_CHECKING:
    from doceo.core.protocols import Answerer
    from doceo.core.records import ProfileEntry

RunOption = Annotated[
    str, typer.Option("--run", metavar="RUN", help="Answer from this run's documents.", show_default=False)
]
CollectionOption = Annotated[
    str,
    typer.Option(
        "--collection", metavar="C", help="Answer from this collection; left out, `default`.", show_default=False
    ),
]
OptionalRun = Annotated[
    str, typer.Argument(metavar="[RUN]", help="A run; a bare name lies under runs/.", show_default=False)
]
NoDocuments = Annotated[bool, typer.Option("--no-documents", help="Let the model answer alone.")]


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "ask", panel="Start", sections=("retrieve", "answer"), top=("model", "embedder", "base_url"))
    def ask(
        question: Annotated[str, typer.Argument(metavar="QUESTION", show_default=False)],
        settings: Settings,
        console: Console,
        run: RunOption = "",
        collection: CollectionOption = "",
        no_documents: NoDocuments = False,
        record: Annotated[
            Path | None,
            typer.Option(
                "--record",
                metavar="FILE",
                help="Add question and answer to this file, a line of JSON each, for import --traces.",
                show_default=False,
            ),
        ] = None,
    ) -> int | None:
        """Answer one question from your documents, with the sentences that prove it."""
        from doceo.app.assistant import assistant
        from doceo.cli.shown_answer import show_answer
        from doceo.core.errors import UsageError

        if not question.strip():
            raise UsageError("The question is empty.", hint='Ask something: doceo ask "What is ...?"')
        answerer = assistant(settings, console, run=run, collection=collection, no_documents=no_documents)
        answer = answerer.answer(question, (), _profile(answerer, settings))
        if record is not None:
            from data.traces import Trace
            from data.traces import record as keep

            keep(record, [Trace(question=question, answer=answer)])
        show_answer(console, answer)
        console.result(answer.model_dump(mode="json"))
        return None


def _profile(answerer: Answerer, settings: Settings) -> Sequence[ProfileEntry]:
    """Return what is known of the user, where they want that used; who only quotes has no use for it."""
    if answerer.name.startswith("quote"):
        return ()
    from doceo.app.talk import Talk

    return Talk(answerer, settings.database_url, profile=settings.answer.profile).profile()
