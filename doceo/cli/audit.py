"""`doceo audit`: who did what at the service."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.knobs import verb

if TYPE_CHECKING:
    from doceo.app.store.audit import Entry

_HEADERS = ["time (UTC)", "owner", "what", "object", "status", "address"]


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "audit", panel="Service")
    def audit(
        settings: Settings,
        console: Console,
        owner: Annotated[
            str, typer.Option("--owner", metavar="NAME", help="Only this owner's requests.", show_default=False)
        ] = "",
        hours: Annotated[float, typer.Option("--hours", min=0, help="How far back.")] = 24.0,
        limit: Annotated[int, typer.Option("--limit", min=1, help="Most entries.")] = 200,
    ) -> int | None:
        """Show what was changed over HTTP, and which requests were refused; the newest last.

        --json adds the ids of keys and requests.
        """
        from doceo.app.store import open_store
        from doceo.app.store.places import absent

        if error := absent(settings.database_url):
            console.show(f"{error.message} {error.hint}")
            console.result({"entries": []})
            return None
        store = open_store(settings.database_url)
        found = store.audit.latest(limit, owner=owner, since=store.clock() - hours * 3600)[::-1]
        console.table(_HEADERS, [_row(entry) for entry in found], words=True, whole="object")
        if not found:
            console.show(f"Nothing was changed or refused in the last {hours:g} hours.")
        console.result({"entries": [entry.model_dump(mode="json") for entry in found]})
        return None


def _row(entry: Entry) -> list[str]:
    time = datetime.fromtimestamp(entry.at, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return [time, entry.owner, entry.action, entry.object, str(entry.outcome), entry.address]
