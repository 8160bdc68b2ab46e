"""`doceo collections`: the indexes here."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.knobs import verb
from doceo.core.errors import UsageError

if TYPE_CHECKING:
    from doceo.app.collection import Collection

_HEADERS = ["collection", "documents", "passages", "on disk", "updated", "embedder"]


def register(app: typer.Typer) -> None:
    """Add the verb."""

    @verb(app, "collections", panel="Documents")
    def collections(
        settings: Settings,
        console: Console,
        delete: Annotated[
            str, typer.Option("--delete", metavar="C", help="Delete a collection.", show_default=False)
        ] = "",
        compact: Annotated[
            str,
            typer.Option(
                "--compact",
                metavar="C",
                help="Write a collection's files anew, so that nothing is left of what was deleted, vectors included.",
                show_default=False,
            ),
        ] = "",
    ) -> int | None:
        """List the collections here, or delete or compact one."""
        from doceo.app.collection import delete_collection

        if delete and compact:
            raise UsageError("--delete and --compact do not go together.", hint="Name one of them.")
        if delete:
            delete_collection(delete)
            console.show(f"Deleted the collection {delete}.")
            console.result({"deleted": delete})
        elif compact:
            _compact(console, compact)
        else:
            _list(console)
        return None


def _compact(console: Console, name: str) -> None:
    from doceo.app.collection import compact_collection

    report = compact_collection(name, console)
    saved = report.before - report.after
    words = f"{_size(saved)} freed" if saved >= 100 else "there was nothing to free"
    gone = f"; the vectors of {report.removed} deleted passages are gone" if report.removed else ""
    console.show(f"Collection {name}: {words}, {_size(report.after)} on disk{gone}.")
    result = {"compacted": name, "freed": saved, "bytes": report.after, "removed_vectors": report.removed}
    console.result({**result, "version": report.version})


def _list(console: Console) -> None:
    from doceo.app.collection import list_collections

    found = list_collections()
    console.table(_HEADERS, [_row(one) for one in found])
    for one in found:
        if one.problem:
            console.show(f"\n{one.name}: {one.problem}\n  {one.hint}")
    if not found:
        console.show("There are no collections here. Make one with: doceo index FOLDER")
    console.result({"collections": [_json(one) for one in found]})


def _row(one: Collection) -> list[str]:
    if one.holds is None:
        return [one.name, "-", "-", _size(one.bytes), "-", "cannot be used"]
    made = datetime.fromtimestamp(one.holds.updated).strftime("%Y-%m-%d %H:%M")
    name = " ".join(one.holds.embedder.split("|")[:2])
    return [one.name, str(one.holds.documents), str(one.holds.chunks), _size(one.bytes), made, name]


def _json(one: Collection) -> dict[str, object]:
    if one.holds is None:
        return {"name": one.name, "bytes": one.bytes, "problem": one.problem, "hint": one.hint}
    return {
        "name": one.name,
        "documents": one.holds.documents,
        "passages": one.holds.chunks,
        "bytes": one.bytes,
        "embedder": one.holds.embedder,
        "updated": datetime.fromtimestamp(one.holds.updated, UTC).isoformat(timespec="seconds"),
    }


def _size(count: int) -> str:
    """Return bytes as a person writes them."""
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"
