"""`doceo chat` as a person meets it: what is kept, what commands do, what goes wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from doceo.cli.chat_commands import command_of
from doceo.cli.main import app
from doceo.core.errors import UsageError

FILE = Path("runs/.doceo.sqlite")


def doceo(*arguments: str | Path, stdin: str = "") -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments], input=stdin, prog_name="doceo")


def test_a_kept_conversation_is_listed_gone_on_with_and_forgotten(tiny_run: Path) -> None:
    first = doceo("chat", tiny_run, stdin="When was the Bryne ferry opened?\n")
    assert "Nothing that you type is kept" in first.stderr
    assert not FILE.exists()
    kept = doceo("chat", tiny_run, "--keep", stdin="When was the Bryne ferry opened?\n/sources\n")
    assert f"kept in {FILE}" in kept.stderr
    assert "ferry.md" in kept.stdout
    assert "Read for it" in kept.stdout
    listed = json.loads(doceo("chat", tiny_run, "--json", stdin="/conversations\n").stdout)
    (talk,) = listed["commands"][0]["result"]
    assert (talk["title"], talk["turns"]) == ("When was the Bryne ferry opened?", 2)
    later = json.loads(
        doceo("chat", tiny_run, "--resume", talk["id"][:6], "--json", stdin="How many cars does it carry?\n").stdout
    )
    assert later["conversation"] == talk["id"]
    assert "12 cars" in later["answers"][0]["text"]
    gone = doceo("chat", tiny_run, stdin=f"/forget {talk['id']}\n/conversations\n")
    assert "Deleted 1 conversation." in gone.stderr
    assert "No conversation is kept" in gone.stdout
    assert b"Bryne" not in FILE.read_bytes()


def test_the_setting_keeps_and_a_flag_overrules_it(tiny_run: Path) -> None:
    Path("doceo.toml").write_text("[chat]\nkeep = true\n")
    assert "kept in" in doceo("chat", tiny_run, stdin="When was the Bryne ferry opened?\n").stderr
    doceo("chat", tiny_run, "--no-keep", stdin="Where is Corvin?\n")
    listed = json.loads(doceo("chat", tiny_run, "--json", stdin="/conversations\n").stdout)["commands"][0]["result"]
    assert [one["title"] for one in listed] == ["When was the Bryne ferry opened?"]


def test_a_profile_is_switched_on_filled_changed_taken_along_and_deleted(tiny_run: Path, tmp_path: Path) -> None:
    lines = [
        "/profile",
        "/profile on",
        "Call me Ann. Please answer briefly.",
        "/profile add style: in rhymes",
        "/profile edit 1 The user's name is Anna.",
        "/profile delete 2",
        f"/profile export {tmp_path / 'me.json'}",
    ]
    talk = doceo("chat", tiny_run, stdin="\n".join(lines) + "\n")
    assert talk.exit_code == 0, talk.output
    assert "Your profile is off" in talk.stdout
    assert "Noted." in talk.stdout
    assert "noted, style: The user wants brief answers. /profile delete 2 takes it out" in talk.stderr
    exported = json.loads((tmp_path / "me.json").read_text())
    assert [entry["text"] for entry in exported["entries"]] == ["The user's name is Anna.", "in rhymes"]
    shown = doceo("chat", tiny_run, stdin="/profile list\n/profile off\n/profile delete all\n/profile\n")
    assert "Anna" in shown.stdout
    assert "Deleted 2 entries" in shown.stderr
    assert b"Anna" not in FILE.read_bytes()


WRONG = {
    "/profle": "Did you mean /profile?",
    "/resume": "needs an id",
    "/resume ffff": "no conversation ffff",
    "/forget eeee": "no conversation eeee",
    "/profile delete 7": "no entry 7",
    "/profile edit x y": "no entry x",
    "/profile add": "empty",
    "/profile paint": "has no 'paint'",
}


def test_what_goes_wrong_is_said_and_the_conversation_goes_on(tiny_run: Path) -> None:
    talk = doceo("chat", tiny_run, stdin="\n".join([*WRONG, "/help"]) + "\n")
    assert [words for words in WRONG.values() if words not in talk.stderr] == []
    assert "/forget" in talk.stdout
    assert talk.exit_code == 2
    failed = doceo("chat", tiny_run, "--json", stdin="/resume ffff\n/help\n")
    assert failed.exit_code == 1
    assert "ffff" in json.loads(failed.stdout)["error"]["message"]


def test_a_path_is_no_command() -> None:
    assert command_of("/etc/hosts: what stands in it?") is None
    assert command_of("What is /etc for?") is None
    assert command_of("/quit") is not None
    with pytest.raises(UsageError):
        command_of("/etc holds what?")
