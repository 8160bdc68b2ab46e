"""`doceo chat`: a conversation over documents."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.ask import CollectionOption, NoDocuments
from doceo.cli.console import Console
from doceo.cli.knobs import verb
from doceo.core.protocols import Answerer

LEAVE = {"/quit", "/exit", "/q"}


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "chat", panel="Start", sections=("retrieve", "answer"), top=("model", "embedder", "base_url"))
    def chat(
        settings: Settings,
        console: Console,
        run: Annotated[
            str, typer.Argument(metavar="[RUN]", help="A run; a bare name lies under runs/.", show_default=False)
        ] = "",
        collection: CollectionOption = "",
        no_documents: NoDocuments = False,
    ) -> int | None:
        """Talk with your documents; an empty line or /quit ends it."""
        from doceo.app.assistant import assistant

        answerer = assistant(settings, console, run=run, collection=collection, no_documents=no_documents)
        console.say(f"{answerer.name} answers. An empty line or /quit ends the conversation, /new starts another.")
        return converse(answerer, console, interactive=sys.stdin.isatty())


def converse(answerer: Answerer, console: Console, *, interactive: bool) -> int | None:
    """Read questions until there are no more; answers appear as they are made. Returns 1 where one failed."""
    from doceo.cli.shown import show_answer
    from doceo.core.errors import ProviderError
    from doceo.core.records import Answer, Message

    history: list[Message] = []
    answers: list[object] = []
    failed = None
    while (line := _line("> " if interactive else "")) is not None:
        question = line.strip()
        if question == "/new":
            history = []
            continue
        if question in LEAVE or (not question and interactive):
            break
        if not question:
            continue
        try:
            for piece in answerer.stream(question, history):
                if isinstance(piece, Answer):
                    console.stream("\n")
                    show_answer(console, piece, text=False)
                    answers.append(piece.model_dump(mode="json"))
                    history += [Message(role="user", content=question), Message(role="assistant", content=piece.text)]
                else:
                    console.stream(piece)
        except ProviderError as error:
            if console.as_json:
                raise
            console.error(error)
            failed = None if interactive else error.exit_code
    console.result({"answers": answers})
    return failed


def _line(prompt: str) -> str | None:
    try:
        return input(prompt)
    except EOFError:
        return None
