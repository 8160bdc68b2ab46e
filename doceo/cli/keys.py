"""`doceo keys`: who may ask the service."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from doceo.app.runs import DEFAULT_COLLECTION, HOME
from doceo.app.settings import Settings
from doceo.cli.console import Console
from doceo.cli.knobs import verb
from doceo.core.access import EVERY_COLLECTION, Key, Scope
from doceo.core.errors import UsageError

if TYPE_CHECKING:
    from doceo.app.store import Store
    from doceo.app.store.usage import Used

_HEADERS = ["id", "owner", "name", "scopes", "collections", "tokens today", "state"]
_LONGEST = 128
_MOST_DAYS = 36_500
Owner = Annotated[str, typer.Option("--owner", metavar="NAME", help="Whose objects the key sees.", show_default=False)]


def register(app: typer.Typer) -> None:
    """Add the verb with its four."""
    keys = typer.Typer(
        help="Make, list and revoke keys of the service; delete what an owner has.", no_args_is_help=True
    )
    app.add_typer(keys, name="keys", rich_help_panel="Service")
    _create(keys)
    _list(keys)
    _revoke(keys)
    _forget(keys)


def _create(keys: typer.Typer) -> None:
    @verb(keys, "create", panel="Keys")
    def create(
        settings: Settings,
        console: Console,
        owner: Owner = "",
        name: Annotated[str, typer.Option("--name", help="What the key is for.", show_default=False)] = "",
        scopes: Annotated[
            str, typer.Option("--scopes", help="Of chat, ingest, train, admin, with commas; admin holds all.")
        ] = "chat",
        collections: Annotated[
            str,
            typer.Option(
                "--collections",
                help="Collections it may search beside its owner's vector stores, with commas; * for all but other"
                " owners' vector stores.",
            ),
        ] = EVERY_COLLECTION,
        expires: Annotated[
            float | None, typer.Option("--expires", min=0, metavar="DAYS", help="Days until it ends.")
        ] = None,
        tokens_per_day: Annotated[
            int | None, typer.Option("--tokens-per-day", min=1, help="Most tokens of prompts and answers in a day.")
        ] = None,
        requests_per_minute: Annotated[
            int | None, typer.Option("--requests-per-minute", min=1, help="Most requests in a minute.")
        ] = None,
    ) -> int | None:
        """Make a key; its secret is shown once and kept nowhere."""
        from doceo.app.store import open_store

        store = open_store(settings.database_url)
        named = _parts(collections)
        until = _until(store, expires)
        key, secret = store.keys.create(
            _owner(owner),
            name,
            _scopes(scopes),
            collections=named,
            tokens_per_day=tokens_per_day,
            requests_per_minute=requests_per_minute,
            expires=until,
        )
        if gone := _gone(store, named):
            console.say(f"There is no collection or vector store {', '.join(gone)} yet; was that meant?")
        console.show(f"{secret}\n\nKey {key.id} of {key.owner}, for {', '.join(key.scopes)}. It is not shown again.")
        console.result({**key.model_dump(mode="json"), "secret": secret})
        return None


def _list(keys: typer.Typer) -> None:
    @verb(keys, "list", panel="Keys")
    def list_keys(settings: Settings, console: Console, owner: Owner = "") -> int | None:
        """List keys, without their secrets, and what they have used today (UTC)."""
        from doceo.app.store import open_store
        from doceo.app.store.places import absent, shown
        from doceo.app.store.usage import DAY, Used

        if error := absent(settings.database_url):
            console.show(f"{error.message} {error.hint}")
            console.result({"keys": []})
            return None
        store = open_store(settings.database_url)
        found, now = store.keys.all(owner), store.clock()
        today = int(now // DAY)
        used = store.usage.all(today)
        rows = [_row(key, used.get(key.id, Used(key.id, today)), now) for key in found]
        console.table(_HEADERS, rows, words=True, whole="id")
        if not found:
            place = shown(settings.database_url)
            console.show(f"There are no keys in {place}. Make one with: doceo keys create --owner NAME")
        console.result({"keys": [_json(key, used) for key in found]})
        return None


def _revoke(keys: typer.Typer) -> None:
    @verb(keys, "revoke", panel="Keys")
    def revoke(
        key: Annotated[str, typer.Argument(metavar="ID", help="Id of the key, as doceo keys list shows it.")],
        *,
        settings: Settings,
        console: Console,
    ) -> int | None:
        """Revoke a key; a running service refuses it within a second."""
        from doceo.app.store import open_store

        _there(settings)
        revoked = open_store(settings.database_url).keys.revoke(key)
        console.show(f"Revoked the key {revoked.id} of {revoked.owner}.")
        console.result(revoked.model_dump(mode="json"))
        return None


def _forget(keys: typer.Typer) -> None:
    @verb(keys, "forget", panel="Keys")
    def forget(
        owner: Annotated[str, typer.Argument(metavar="OWNER", help="Whose everything is deleted.", show_default=False)],
        *,
        settings: Settings,
        console: Console,
        yes: Annotated[bool, typer.Option("--yes", help="Delete without asking.")] = False,
    ) -> int | None:
        """Delete everything of an owner: keys, files, vector stores, conversations, profile, jobs, models."""
        from doceo.app.assistants import Assistants
        from doceo.app.forgetting import forget
        from doceo.app.host import Host

        _there(settings)
        host = Host(settings, Assistants(settings, console))
        counts = host.store.owners.counts(owner)
        if counts and not yes and not _agreed(owner, counts, console):
            console.show("Nothing was deleted.")
            return 1
        gone = forget(host, owner, console)
        rows = [[name.replace("_", " "), str(gone[name])] for name in sorted(gone)]
        console.table(["deleted", ""], rows, words=True)
        console.show(f"Nothing of {owner} is left but its entries in the audit log, and what backups hold.")
        console.result({"owner": owner, "deleted": gone})
        return None


def _there(settings: Settings) -> None:
    """Raise InputError where there is no database, instead of making one in a wrong folder."""
    from doceo.app.store.places import absent

    if error := absent(settings.database_url):
        raise error


def _agreed(owner: str, counts: dict[str, int], console: Console) -> bool:
    """Say what is deleted, and ask. Raises UsageError where nobody can be asked."""
    what = ", ".join(f"{counts[name]} {name.replace('_', ' ')}" for name in sorted(counts))
    words = f"This deletes everything of {owner}, for good: {what}."
    if console.as_json or not sys.stdin.isatty():
        raise UsageError(words, hint="Add --yes to delete without being asked.")
    console.say(words)
    console.say("Delete it? [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _until(store: Store, days: float | None) -> float | None:
    if days is None:
        return None
    if not 0 < days < _MOST_DAYS:
        raise UsageError(f"A key cannot end after {days:g} days.", hint="Leave --expires out, or name days above 0.")
    return store.clock() + days * 86400


def _gone(store: Store, collections: list[str]) -> list[str]:
    """Return the names that stand for nothing; `default` can be the documents of a run."""
    from doceo.app.plain_collections import names

    known = {EVERY_COLLECTION, DEFAULT_COLLECTION, *names(HOME)}
    return [name for name in collections if name not in known and store.owners.of_collection(name) is None]


def _owner(owner: str) -> str:
    if not owner.strip() or len(owner) > _LONGEST or not owner.isprintable():
        raise UsageError(
            "A key needs an owner: what is made with it belongs to that name, and no other owner sees it.",
            hint=f"Name one: --owner NAME, of at most {_LONGEST} characters. `local` owns what is made without keys.",
        )
    return owner.strip()


def _scopes(given: str) -> list[Scope]:
    known: tuple[Scope, ...] = get_args(Scope)
    wanted = _parts(given)
    if not wanted or not set(wanted) <= set(known):
        raise UsageError(f"--scopes {given!r} is not a list of scopes.", hint=f"Known: {', '.join(known)}.")
    return [scope for scope in known if scope in wanted]


def _parts(given: str) -> list[str]:
    return [part.strip() for part in given.split(",") if part.strip()]


def _row(key: Key, used: Used, now: float) -> list[str]:
    state = "revoked" if key.revoked else "expired" if key.expires is not None and key.expires <= now else "valid"
    if state == "valid" and key.expires is not None:
        state = f"until {_day(key.expires)}"
    tokens = used.prompt_tokens + used.completion_tokens
    most = f" of {key.tokens_per_day}" if key.tokens_per_day else ""
    lists = [",".join(key.scopes), ",".join(key.collections) or "none"]
    return [key.id, key.owner, key.name, *lists, f"{tokens}{most}", state]


def _json(key: Key, used: dict[str, Used]) -> dict[str, object]:
    counts = asdict(used[key.id]) if key.id in used else {}
    today = {name: counts.get(name, 0) for name in ("requests", "prompt_tokens", "completion_tokens")}
    return {**key.model_dump(mode="json"), "today": today}


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
