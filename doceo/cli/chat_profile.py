"""`/profile` in `doceo chat`: what is known of the user, to be read, changed, taken along and deleted."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from doceo.cli.console import Console
from doceo.core.errors import UsageError
from doceo.core.records import ProfileEntry
from rag.profile_rules import EntryKind, by_rules

if TYPE_CHECKING:
    from doceo.app.talk import Talk

_USES = "/profile, /profile on, off, add TEXT, edit N TEXT, delete N, delete all, export [FILE]"
_KINDS: tuple[EntryKind, ...] = get_args(EntryKind)
_KIND = re.compile(rf"({'|'.join(_KINDS)})\s*:\s*(.+)", re.IGNORECASE | re.DOTALL)


def profile(talk: Talk, console: Console, rest: str) -> object:
    """Carry out what stands after `/profile`. Raises UsageError, InputError, StorageError."""
    word, _, more = rest.partition(" ")
    order = _ORDERS.get(word.lower())
    if order is None:
        raise UsageError(f"/profile has no {word!r}.", hint=f"There are {_USES}.")
    return order(talk, console, more.strip())


def _list(talk: Talk, console: Console, rest: str) -> object:
    entries = talk.profile_entries()
    state = "on: answers use it, and what you say of yourself is noted" if talk.profile_on else "off; /profile on"
    console.show(f"Your profile is {state}. {f'It is kept in {talk.place}.' if talk.has_store else ''}".rstrip())
    rows = [[str(n), one.kind, one.text, _until(one), "said in a conversation" if one.source else ""]
            for n, one in enumerate(entries, 1)]  # fmt: skip
    if rows:
        console.table(["n", "kind", "entry", "until", "from"], rows, words=True)
    return {"enabled": talk.profile_on, "entries": [entry.model_dump(mode="json") for entry in entries]}


def _on(talk: Talk, console: Console, rest: str) -> object:
    talk.switch_profile(on=True)
    console.say(
        f"Your profile is on and kept in {talk.place}: what you say of yourself and of how you want answers is noted "
        "there and given to the model. /profile off ends that, /profile delete all deletes it."
    )
    return None


def _off(talk: Talk, console: Console, rest: str) -> object:
    talk.switch_profile(on=False)
    kept = len(talk.profile_entries())
    console.say(f"Your profile is off.{f' Its {kept} entries stay; /profile delete all deletes them.' if kept else ''}")
    return None


def _add(talk: Talk, console: Console, rest: str) -> object:
    proposed = by_rules(rest)
    if named := _KIND.fullmatch(rest):
        kind = next(kind for kind in _KINDS if kind == named[1].lower())
        entry = talk.store.profiles.add(talk.owner, kind, named[2])
    elif proposed:
        entry = [talk.store.profiles.add(talk.owner, one.kind, one.text, days=one.days) for one in proposed][-1]
    else:
        entry = talk.store.profiles.add(talk.owner, "fact", rest)
    hint = "" if talk.profile_on else " The profile is off; /profile on lets answers use it."
    console.say(f"{entry.kind}: {entry.text}{hint}")
    return entry.model_dump(mode="json")


def _edit(talk: Talk, console: Console, rest: str) -> object:
    number, _, text = rest.partition(" ")
    entry = talk.store.profiles.edit(talk.owner, _numbered(talk, number).id, text)
    console.say(f"{entry.kind}: {entry.text}")
    return entry.model_dump(mode="json")


def _delete(talk: Talk, console: Console, rest: str) -> object:
    if rest == "all":
        gone = talk.store.profiles.delete_all(talk.owner) if talk.has_store else 0
        console.say(f"Deleted {gone} entries; the profile is off.")
        return gone
    entry = _numbered(talk, rest)
    talk.store.profiles.delete(talk.owner, entry.id)
    console.say(f"Deleted: {entry.text}")
    return 1


def _export(talk: Talk, console: Console, rest: str) -> object:
    held = talk.store.profiles.export(talk.owner) if talk.has_store else {"enabled": False, "entries": []}
    if not rest:
        console.show(json.dumps(held, ensure_ascii=False, indent=1))
        return held
    from data.jsonl import write_json

    path = Path(rest).expanduser()
    if path.exists():
        raise UsageError(f"{path} exists.", hint="Name a new file.")
    write_json(path, held)
    path.chmod(0o600)
    console.say(f"Written to {path}.")
    return held


def _numbered(talk: Talk, number: str) -> ProfileEntry:
    entries = talk.profile_entries()
    if number.isdecimal() and 1 <= int(number) <= len(entries):
        return entries[int(number) - 1]
    raise UsageError(f"There is no entry {number or 'without a number'}.", hint="/profile numbers them.")


def _until(entry: ProfileEntry) -> str:
    return "" if entry.expires is None else datetime.fromtimestamp(entry.expires).astimezone().strftime("%Y-%m-%d")


_ORDERS: dict[str, Callable[[Talk, Console, str], object]] = {
    "": _list,
    "list": _list,
    "show": _list,
    "on": _on,
    "off": _off,
    "add": _add,
    "edit": _edit,
    "delete": _delete,
    "export": _export,
}
