"""`doceo chat`: a conversation over documents."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.ask import CollectionOption, NoDocuments, OptionalRun
from doceo.cli.console import Console
from doceo.cli.knobs import verb

if TYPE_CHECKING:
    from doceo.app.talk import Talk


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "chat", panel="Start", sections=("retrieve", "answer"), top=("model", "embedder", "base_url"))
    def chat(
        settings: Settings,
        console: Console,
        run: OptionalRun = "",
        collection: CollectionOption = "",
        no_documents: NoDocuments = False,
        keep: Annotated[
            bool | None,
            typer.Option(
                "--keep/--no-keep",
                help="Keep the conversation, so that --resume can go on with it.",
                show_default=False,
            ),
        ] = None,
        resume: Annotated[
            str,
            typer.Option("--resume", metavar="ID", help="Go on with a kept conversation.", show_default=False),
        ] = "",
        export: Annotated[
            Path | None,
            typer.Option(
                "--export",
                metavar="FILE",
                help="Instead: write the kept conversations, or that of --resume, as JSON lines for import --traces.",
                show_default=False,
            ),
        ] = None,
    ) -> int | None:
        """Talk with your documents; an empty line or /quit ends it, /help lists what else there is."""
        from doceo.app.talking import open_talk
        from doceo.cli.chat_loop import converse

        if export is not None:
            return _exported(export, resume, settings, console)
        talk = open_talk(settings, console, run=run, collection=collection, no_documents=no_documents)
        if resume:
            talk.resume(resume)
        elif settings.chat.keep if keep is None else keep:
            talk.keep()
        _greet(talk, console)
        return converse(talk, console, interactive=sys.stdin.isatty())


def _exported(path: Path, conversation: str, settings: Settings, console: Console) -> int | None:
    from data.traces import record
    from doceo.app.talk_traces import local_traces
    from doceo.core.errors import UsageError

    if path.exists():
        raise UsageError(f"{path} exists.", hint="Name a new file.")
    found = local_traces(settings.database_url, conversation)
    record(path, found)
    console.show(f"{len(found)} questions with their answers in {path}.")
    console.result({"file": str(path), "traces": len(found)})
    console.next_steps(f"doceo import --traces {path} --run RUN --out NEW")
    return None


def _greet(talk: Talk, console: Console) -> None:
    """Say who answers, what is kept and where, and how to end."""
    from doceo.cli.chat_commands import how_kept

    console.say(f"{talk.answerer.name} answers. An empty line or /quit ends the conversation; /help lists commands.")
    console.say(how_kept(talk))
    if talk.profile_on:
        console.say(f"Your profile is on, with {len(talk.profile())} entries: /profile shows it.")
