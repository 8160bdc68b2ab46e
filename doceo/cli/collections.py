"""`doceo collections`: the indexes here."""

from __future__ import annotations

from typing import Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.knobs import verb


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "collections", panel="Documents")
    def collections(
        settings: Settings,
        console: Console,
        delete: Annotated[
            str, typer.Option("--delete", metavar="C", help="Delete a collection.", show_default=False)
        ] = "",
    ) -> int | None:
        """List the collections here, or delete one."""
        from doceo.app.collection import collection_sizes, delete_collection

        if delete:
            delete_collection(delete)
            console.show(f"Deleted the collection {delete}.")
            console.result({"deleted": delete})
            return None
        sizes = collection_sizes()
        console.table(["collection", "documents", "passages"], [[name, str(d), str(c)] for name, d, c in sizes])
        if not sizes:
            console.show("There are no collections here. Make one with: doceo index FOLDER")
        console.result({"collections": [{"name": n, "documents": d, "passages": c} for n, d, c in sizes]})
        return None
