from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from doceo.core.errors import ServerFailed, StorageError
from doceo.core.records import ChatReply, ChatRequest, Message, Usage
from doceo.providers.journal import Journaled, fingerprint
from doceo.providers.scripted import Scripted

ROOT = Path(__file__).parents[2]


def ask(text: str, **options: Any) -> ChatRequest:
    return ChatRequest(messages=(Message(role="user", content=text),), **options)


def test_a_reply_is_paid_once(tmp_path: Path) -> None:
    paid = ChatReply(text="a", finish="length", usage=Usage(prompt_tokens=9, completion_tokens=2, cost=0.5, seconds=3))
    inner = Scripted([paid])
    journal = Journaled(inner, tmp_path / "run" / "journal.sqlite")
    assert journal.complete(ask("q")) == paid
    again = journal.complete(ask("q"))
    assert (again.text, again.finish) == ("a", "length")
    assert (again.usage.cost, again.usage.prompt_tokens) == (0.0, 9)
    assert (journal.hits, journal.misses, len(inner.requests)) == (1, 1, 1)
    assert journal.spent().cost == 0.5
    journal.close()
    reopened = Journaled(Scripted([]), tmp_path / "run" / "journal.sqlite")
    assert reopened.complete(ask("q")).text == "a"


def test_unknown_costs_stay_unknown(tmp_path: Path) -> None:
    journal = Journaled(Scripted(["a", ChatReply(text="b", usage=Usage(cost=1.0))]), tmp_path / "j.sqlite")
    journal.complete(ask("1"))
    journal.complete(ask("2"))
    assert journal.spent().cost is None


@pytest.mark.parametrize(
    "changed",
    [{"temperature": 0.1}, {"max_tokens": 7}, {"seed": 1}, {"stop": ("x",)}, {"form": {"type": "object"}}],
)
def test_every_parameter_counts(changed: dict[str, Any]) -> None:
    assert fingerprint("openai:m", ask("q", **changed)) != fingerprint("openai:m", ask("q"))
    assert fingerprint("openai:m", ask("q")) != fingerprint("ollama:m", ask("q"))
    assert fingerprint("openai:m", ask("q")) == fingerprint("openai:m", ask("q", temperature=0.0))


def test_failures_are_not_kept(tmp_path: Path) -> None:
    journal = Journaled(Scripted([ServerFailed("down", hint=""), "up"]), tmp_path / "j.sqlite")
    with pytest.raises(ServerFailed):
        journal.complete(ask("q"))
    assert journal.complete(ask("q")).text == "up"


def test_streams_are_kept_when_they_are_whole(tmp_path: Path) -> None:
    inner = Scripted(["a b c", "d e f"])
    journal = Journaled(inner, tmp_path / "j.sqlite")
    left = journal.stream(ask("q"))
    assert next(left) == "a "
    left.close()  # type: ignore[attr-defined]  # a generator, seen as an iterator
    assert list(journal.stream(ask("q"))) == ["d ", "e ", "f"]
    assert list(journal.stream(ask("q"))) == ["d e f"]
    assert journal.complete(ask("q")).text == "d e f"


def test_many_threads_ask_the_same_once(tmp_path: Path) -> None:
    def slow(request: ChatRequest) -> str:
        time.sleep(0.02)
        return request.messages[0].content.upper()

    inner = Scripted(slow)
    journal = Journaled(inner, tmp_path / "j.sqlite")
    with ThreadPoolExecutor(16) as threads:
        replies = list(threads.map(lambda n: journal.complete(ask(f"q{n % 5}")).text, range(80)))
    assert replies == [f"Q{n % 5}" for n in range(80)]
    assert len(inner.requests) == 5


def test_a_waiting_thread_takes_over_when_the_first_one_fails(tmp_path: Path) -> None:
    first = threading.Event()

    def fail_once(_: ChatRequest) -> str:
        if not first.is_set():
            first.set()
            time.sleep(0.05)
            raise ServerFailed("down", hint="")
        return "up"

    journal = Journaled(Scripted(fail_once), tmp_path / "j.sqlite")
    failures: list[str] = []

    def lead() -> None:
        try:
            journal.complete(ask("q"))
        except ServerFailed as error:
            failures.append(error.message)

    leader = threading.Thread(target=lead)
    leader.start()
    first.wait(5)
    assert journal.complete(ask("q")).text == "up"
    leader.join()
    assert failures == ["down"]


def test_a_file_that_is_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    path.write_text("this is not a database, it is a text that is long enough to be looked at" * 20)
    with pytest.raises(StorageError, match=r"journal\.sqlite"):
        Journaled(Scripted([]), path)
    with pytest.raises(StorageError):
        Journaled(Scripted([]), path / "below" / "journal.sqlite")


def test_a_full_disk_is_said(tmp_path: Path) -> None:
    journal = Journaled(Scripted([ChatReply(text="x" * 100_000)]), tmp_path / "j.sqlite")
    journal._connection.execute("PRAGMA max_page_count = 4")
    with pytest.raises(StorageError, match="disk is full"):
        journal.complete(ask("q"))


CHILD = textwrap.dedent("""
    import sys
    from concurrent.futures import ThreadPoolExecutor
    from pathlib import Path
    from doceo.core.records import ChatRequest, Message
    from doceo.providers.chat import open_chat

    provider = open_chat("vllm:m" if len(sys.argv) < 4 else sys.argv[3], base_url=sys.argv[1], api_key="k",
                         journal=Path(sys.argv[2]), concurrency=4)
    requests = [ChatRequest(messages=(Message(role="user", content=f"question {n}"),)) for n in range(60)]
    with ThreadPoolExecutor(4) as threads:
        for reply in threads.map(provider.complete, requests):
            print(reply.text, flush=True)
""")


def test_kill_nine_repeats_only_what_was_in_flight(server: Any, tmp_path: Path) -> None:
    server.script({"text": "reply to {last}", "sleep": 0.05})
    path = tmp_path / "journal.sqlite"
    command = [sys.executable, "-c", CHILD, server.address, str(path), "openai:m"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    first = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    assert first.stdout is not None
    said = [first.stdout.readline() for _ in range(20)]
    first.send_signal(signal.SIGKILL)
    first.wait()
    first.stdout.close()
    asked_before = len(server.seen())
    with sqlite3.connect(path) as file:
        kept = file.execute("SELECT count(*) FROM replies").fetchone()[0]
    assert 20 <= kept <= asked_before < 60
    second = subprocess.run(command, capture_output=True, text=True, env=environment, check=True, timeout=60)
    lines = second.stdout.splitlines()
    assert lines == [f"reply to question {n}" for n in range(60)]
    assert [line.strip() for line in said] == lines[:20]
    repeated = len(server.seen()) - 60
    assert 0 <= repeated <= 4
    assert len(server.seen()) == asked_before + 60 - kept
