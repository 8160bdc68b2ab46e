"""`doceo serve`: the chat endpoint, for any OpenAI client."""

from __future__ import annotations

from typing import Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.knobs import verb


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(
        app,
        "serve",
        panel="Service",
        sections=("service", "retrieve", "answer"),
        top=("model", "embedder", "base_url"),
    )
    def serve(
        settings: Settings,
        console: Console,
        run: Annotated[
            str, typer.Argument(metavar="[RUN]", help="A run; left out, the collections here.", show_default=False)
        ] = "",
        collection: Annotated[
            str, typer.Option("--collection", metavar="C", help="Documents behind ids that name none.")
        ] = "",
        host: Annotated[
            str, typer.Option("--host", help="Address to listen on; others than this machine can reach 0.0.0.0.")
        ] = "127.0.0.1",
        port: Annotated[
            int, typer.Option("--port", min=0, max=65535, help="Port to listen on; 0 takes a free one.")
        ] = 8000,
    ) -> int | None:
        """Serve chat completions with citations, in OpenAI's form."""
        from doceo.app.assistants import Assistants
        from doceo.app.host import Host
        from doceo.app.runs import existing_run
        from doceo.service.listening import listen

        found = existing_run(run) if run else None
        assistants = Assistants(settings, console, found, collection)
        listen(Host(settings, assistants), host, port, console)
        return None
