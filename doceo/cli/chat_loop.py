"""The loop of `doceo chat`: lines in; answers, and what commands show, out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doceo.cli.chat_commands import Leave, command_of
from doceo.cli.console import Console
from doceo.core.errors import DoceoError
from doceo.core.records import Answer
from rag.profile_rules import says_nothing_else

if TYPE_CHECKING:
    from doceo.app.talk import Talk


def converse(talk: Talk, console: Console, *, interactive: bool) -> int | None:
    """Read lines until there are no more; answers appear as they are made. Returns the exit code of the last failure.

    A person at a terminal sees failures as they come, and the exit code tells nothing of them. Where JSON is asked
    for, the first failure ends the conversation.
    """
    answers: list[object] = []
    results: list[object] = []
    failed = None
    while (line := _line("> " if interactive else "")) is not None:
        line = line.strip()
        if not line and interactive:
            break
        if not line:
            continue
        try:
            if command := command_of(line):
                results.append({"command": line, "result": command(talk, console)})
            else:
                answers.append(_answered(talk, console, line))
        except Leave:
            break
        except DoceoError as error:
            if console.as_json:
                raise
            console.error(error)
            failed = None if interactive else error.exit_code
    kept = talk.kept.id if talk.kept else None
    if kept:
        console.say(f"Kept as {kept}: --resume {kept} goes on with it.")
    console.result({"answers": answers, "commands": results, "conversation": kept})
    return failed


def _answered(talk: Talk, console: Console, question: str) -> object:
    """Show the answer to a question as it is made, and what it put into the profile; return it as JSON values."""
    from doceo.cli.shown_answer import show_answer

    answer = Answer(text="")
    for piece in talk.ask(question):
        if isinstance(piece, Answer):
            answer = piece
            console.stream("\n")
            show_answer(console, piece, text=False)
        elif isinstance(piece, str):
            console.stream(piece)
    for entry in talk.note(question):
        place = 1 + [known.id for known in talk.profile_entries()].index(entry.id)
        console.say(f"  (noted, {entry.kind}: {entry.text} /profile delete {place} takes it out)")
    if not talk.profile_on and says_nothing_else(question):
        console.say("  (nothing of this is noted: your profile is off; /profile on)")
    return answer.model_dump(mode="json")


def _line(prompt: str) -> str | None:
    try:
        return input(prompt)
    except EOFError:
        return None
