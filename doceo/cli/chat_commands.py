"""What can be typed into `doceo chat` beside questions."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from doceo.cli.chat_profile import profile
from doceo.cli.console import Console
from doceo.core.errors import UsageError

if TYPE_CHECKING:
    from doceo.app.talk import Talk

Command = Callable[["Talk", Console], object]
"""Shows something and returns it as JSON values."""

_COMMAND = re.compile(r"/([a-z]+)(?:\s+(.*))?", re.DOTALL)
HELP = (
    ("/sources", "what the last answer rests on, and what was read for it"),
    ("/new", "begin another conversation"),
    ("/keep", "keep this conversation, with its turns until now"),
    ("/conversations", "list the kept conversations"),
    ("/resume ID", "go on with a kept conversation; the first letters of its id are enough"),
    ("/export FILE", "write this conversation's questions and answers as JSON lines; /export all FILE: every kept one"),
    ("/forget", "delete this conversation, and what it put into the profile; /forget ID or /forget all: others"),
    ("/profile", "what is known of you; /profile on, off, add TEXT, edit N TEXT, delete N, delete all, export [FILE]"),
    ("/quit", "end"),
)


class Leave(Exception):
    """The user wants to go."""


def command_of(line: str) -> Command | None:
    """Return what a line orders, or None where it is a question.

    Raises UsageError for an unknown order; a question may begin with a path such as `/etc/hosts`, which is none.
    """
    found = _COMMAND.fullmatch(line)
    if found is None:
        return None
    name, rest = found[1], (found[2] or "").strip()
    order = _ORDERS.get(name)
    if order is None:
        near = get_close_matches(name, _ORDERS, 1)
        raise UsageError(
            f"There is no command /{name}.",
            hint=f"Did you mean /{near[0]}?" if near else "/help lists them. A question can be asked in other words.",
        )
    return lambda talk, console: order(talk, console, rest)


def how_kept(talk: Talk) -> str:
    """Return what is kept of a conversation, and where, in a sentence."""
    if not talk.keeping:
        return f"Nothing that you type is kept; /keep keeps this conversation in {talk.place}."
    named = f" as {talk.kept.id}" if talk.kept else ""
    return f"This conversation is kept in {talk.place}{named}; /forget deletes it."


def _help(talk: Talk, console: Console, rest: str) -> object:
    console.table(["command", "what it does"], [list(row) for row in HELP], words=True)
    return dict(HELP)


def _sources(talk: Talk, console: Console, rest: str) -> object:
    from doceo.cli.shown_answer import show_answer

    if talk.last is None:
        console.show("No answer has been given from documents yet.")
        return None
    show_answer(console, talk.last, text=False)
    console.show("Read for it, best first:")
    for rank, hit in enumerate(talk.last.hits, 1):
        page = f", page {hit.page}" if hit.page else ""
        heading = f", {' > '.join(hit.heading_path)}" if hit.heading_path else ""
        found = "; ".join(f"{name} {arm.rank}" for name, arm in hit.arms.items())
        console.show(f"  {rank}. {hit.source}{page}{heading} (score {hit.score:.2f}{'; ' + found if found else ''})")
    return talk.last.model_dump(mode="json")


def _new(talk: Talk, console: Console, rest: str) -> object:
    talk.new()
    console.say(f"A new conversation. {how_kept(talk)}")
    return None


def _keep(talk: Talk, console: Console, rest: str) -> object:
    talk.keep()
    console.say(how_kept(talk))
    return talk.kept.id if talk.kept else None


def _conversations(talk: Talk, console: Console, rest: str) -> object:
    kept = talk.conversations()
    if not kept:
        console.show(f"No conversation is kept in {talk.place}.")
    else:
        rows = [[one.id, _when(one.updated), str(one.turns), one.about, one.title] for one in kept]
        console.table(["id", "last", "messages", "over", "began with"], rows, words=True)
    return [one.model_dump(mode="json") for one in kept]


def _resume(talk: Talk, console: Console, rest: str) -> object:
    if not rest:
        raise UsageError("/resume needs an id.", hint="/conversations lists the kept conversations.")
    turns = talk.resume(rest)
    assert talk.kept is not None
    if talk.kept.about != talk.about:
        console.say(f"It was had over {talk.kept.about}; {talk.about} is asked now.")
    for turn in turns[-2:]:
        console.show(f"{'>' if turn.message.role == 'user' else ' '} {turn.message.content}")
    console.say(how_kept(talk))
    return [turn.model_dump(mode="json") for turn in turns]


def _export(talk: Talk, console: Console, rest: str) -> object:
    from data.traces import record
    from doceo.app.talk_traces import ALL, traces_of

    word, _, more = rest.partition(" ")
    every = word == ALL and bool(more.strip())
    name = more.strip() if every else rest
    if not name:
        raise UsageError("/export needs a file.", hint="/export FILE, or /export all FILE.")
    path = Path(name).expanduser()
    if path.exists():
        raise UsageError(f"{path} exists.", hint="Name a new file.")
    found = traces_of(talk, ALL if every else "")
    record(path, found)
    import_it = f"doceo import --traces {path} --run RUN --out NEW"
    console.say(f"{len(found)} questions with their answers in {path}: {import_it}")
    return {"file": str(path), "traces": len(found)}


def _forget(talk: Talk, console: Console, rest: str) -> object:
    conversations, entries = talk.forget_all() if rest == "all" else talk.forget(rest)
    with_entries = f", with {entries} entries of the profile" if entries else ""
    many = "1 conversation" if conversations == 1 else f"{conversations} conversations"
    console.say(f"Deleted {many}{with_entries}." if conversations else "Forgotten; nothing of it was kept.")
    return {"conversations": conversations, "entries": entries}


def _quit(talk: Talk, console: Console, rest: str) -> object:
    raise Leave


def _when(seconds: float) -> str:
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")


_ORDERS: dict[str, Callable[[Talk, Console, str], object]] = {
    "help": _help,
    "sources": _sources,
    "new": _new,
    "keep": _keep,
    "conversations": _conversations,
    "resume": _resume,
    "export": _export,
    "forget": _forget,
    "profile": profile,
    "quit": _quit,
    "exit": _quit,
    "q": _quit,
}
