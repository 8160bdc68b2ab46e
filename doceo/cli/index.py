"""`doceo index`: documents into a searchable collection."""

from __future__ import annotations

from typing import Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.ingest import Sources
from doceo.cli.knobs import verb

Collection = Annotated[str, typer.Option("--collection", metavar="C", help="Name of the collection.")]


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "index", panel="Documents", sections=("read", "chunk"), top=("embedder", "executor"))
    def index(
        sources: Sources,
        settings: Settings,
        console: Console,
        collection: Collection = "default",
        sync: Annotated[bool, typer.Option("--sync", help="Make the collection exactly these sources.")] = False,
    ) -> int | None:
        """Add and update documents in a collection; what vanished from under a source is deleted."""
        from doceo.app.collection import index_collection

        report, skipped = index_collection(collection, sources, settings, console, sync=sync)
        for one in skipped:
            console.say(f"skipped {one.source}: {one.reason} ({one.detail})")
        console.show(
            f"Collection {collection}: {report.documents} documents, {report.chunks} passages "
            f"({report.added} added, {report.updated} changed, {report.unchanged} unchanged, {report.deleted} deleted; "
            f"{report.embedded} passages embedded)."
        )
        console.result({**report.model_dump(), "skipped": [s.model_dump() for s in skipped]})
        console.next_steps(f'doceo ask "..." --collection {collection}', f"doceo chat --collection {collection}")
        return None
