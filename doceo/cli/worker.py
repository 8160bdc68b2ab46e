"""`doceo worker`: does the jobs of a service."""

from __future__ import annotations

from typing import Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.knobs import verb


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "worker", panel="Service", top=("base", "teacher", "model", "embedder", "base_url"))
    def worker(
        settings: Settings,
        console: Console,
        concurrency: Annotated[
            int,
            typer.Option(
                "--concurrency",
                min=1,
                help="Jobs at the same time; of several workers, the number of the last one started holds for all.",
            ),
        ] = 1,
    ) -> int | None:
        """Do the jobs of a service: fine-tuning, generation, evaluation, indexing; until it is stopped."""
        from doceo.app.assistants import Assistants
        from doceo.app.host import Host
        from doceo.app.jobs.worker import Worker

        Worker(Host(settings, Assistants(settings, console)), console, concurrency=concurrency).work()
        return None
