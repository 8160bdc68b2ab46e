"""The store on a SQLite file and, where a PostgreSQL server can be started, on that."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import text

from doceo.app.store import Store, open_store, schema, service_tables
from doceo.app.store.attachments import ReadError
from doceo.app.store.engine import Database
from doceo.app.store.pages import Cursor, Page
from doceo.app.store.places import default_file, exists, shown
from doceo.app.store.said import Said, exchange, messages
from doceo.app.store.schema import HEAD, version
from doceo.app.store.tables import metadata
from doceo.app.store.vector_stores import FileCounts
from doceo.core.errors import ConfigError, InputError, MissingExtra, NotFound, StorageError
from doceo.core.records import Answer, Citation, Hit, Message, Span
from doceo.text.passages import REFUSAL
from tests.postgres import PostgresServer, postgres_server

ROOT = Path(__file__).resolve().parents[2]


def answer(words: str, *, refused: bool = False) -> Answer:
    span = Span(document_id="d_1", start=0, end=4)
    hit = Hit(chunk_id="c_1", source="a.txt", span=span, score=0.5)
    citation = Citation(n=1, document_id="d_1", source="a.txt", title="A", span=span, quote=words, verified=True)
    return Answer(text=words, citations=() if refused else (citation,), hits=(hit,), refused=refused)


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'kept' / 'talk.sqlite'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.empty()


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    ticks = count(1000)
    opened = open_store(url, clock=lambda: float(next(ticks)))
    yield opened
    opened.close()


def test_turns_come_back_as_they_were_said(store: Store) -> None:
    talk = store.conversations.start("ann", about="run demo")
    first = answer("Old \ud800 quote \0 [1].")
    store.conversations.add("ann", talk.id, exchange("Who is it?\0", first))
    store.conversations.add("ann", talk.id, exchange("And when?", answer(REFUSAL, refused=True)))
    turns = store.conversations.turns("ann", talk.id)
    assert [turn.message.role for turn in turns] == ["user", "assistant"] * 2
    assert turns[0].message.content == "Who is it?\ufffd"
    assert turns[1].answer == first
    assert [turn.refused for turn in turns] == [False, False, False, True]
    assert messages(turns)[-1] == Message(role="assistant", content=REFUSAL)
    (listed,) = store.conversations.all("ann")
    assert (listed.title, listed.about, listed.turns) == ("Who is it?\ufffd", "run demo", 4)
    assert listed.updated > listed.created
    assert store.conversations.find("ann", talk.id[:4]) == listed


def test_owners_never_see_each_other(store: Store) -> None:
    talk = store.conversations.start("ann")
    store.conversations.add("ann", talk.id, exchange("My secret?", answer("Yes.")))
    entry = store.profiles.add("ann", "fact", "The user's name is Ann.")
    store.profiles.enable("ann", enabled=True)
    kept = store.conversations.summaries("ann", talk.id)
    kept["h"] = "A summary."
    assert store.conversations.all("bob") == []
    assert store.conversations.turns("bob", talk.id) == []
    assert not store.conversations.delete("bob", talk.id)
    assert store.conversations.delete_all("bob") == 0
    for forbidden in (
        lambda: store.conversations.find("bob", talk.id),
        lambda: store.conversations.add("bob", talk.id, exchange("Hi", answer("Ho"))),
        lambda: store.profiles.edit("bob", entry.id, "Mine now."),
        lambda: store.profiles.delete("bob", entry.id),
    ):
        with pytest.raises(InputError):
            forbidden()
    theirs = store.conversations.summaries("bob", talk.id)
    theirs["h"] = "Overwritten."
    assert dict(theirs) == {}
    assert dict(kept) == {"h": "A summary."}
    assert store.profiles.export("bob") == {"enabled": False, "entries": []}
    assert store.profiles.delete_all("bob") == 0
    assert len(store.conversations.turns("ann", talk.id)) == 2
    assert store.profiles.enabled("ann")


def test_what_is_deleted_takes_along_what_hangs_on_it(store: Store) -> None:
    gone, stays = store.conversations.start("ann"), store.conversations.start("ann")
    for talk in (gone, stays):
        asked, _ = store.conversations.add("ann", talk.id, exchange("Call me Ann.", answer("Noted.")))
        store.profiles.add("ann", "fact", f"The user said so in {talk.id}.", source=asked.id)
        store.conversations.summaries("ann", talk.id)["h"] = "A summary."
    by_hand = store.profiles.add("ann", "preference", "The user prefers tea.")
    first = store.profiles.entries("ann")[0]
    assert store.conversations.delete("ann", gone.id)
    assert not store.conversations.delete("ann", gone.id)
    assert [entry.text for entry in store.profiles.entries("ann")] == [
        f"The user said so in {stays.id}.",
        by_hand.text,
    ]
    assert first.text.endswith(f"{gone.id}.")
    assert dict(store.conversations.summaries("ann", gone.id)) == {}
    assert dict(store.conversations.summaries("ann", stays.id)) == {"h": "A summary."}
    store.conversations.summaries("ann", gone.id)["h"] = "Too late."
    assert dict(store.conversations.summaries("ann", gone.id)) == {}
    store.forget("ann")
    assert store.conversations.all("ann") == []
    assert store.profiles.entries("ann") == []


def test_an_entry_that_was_edited_is_the_users_own(store: Store) -> None:
    talk = store.conversations.start("ann")
    asked, _ = store.conversations.add("ann", talk.id, exchange("Call me Ann.", answer("Noted.")))
    entry = store.profiles.add("ann", "fact", "The user's name is Ann.", source=asked.id)
    assert entry.source == asked.id
    assert store.profiles.edit("ann", entry.id, "The user's name is  Anna.").text == "The user's name is Anna."
    store.conversations.delete("ann", talk.id)
    assert [(one.text, one.source) for one in store.profiles.entries("ann")] == [("The user's name is Anna.", "")]


def test_of_a_name_and_a_style_the_newest_stays_and_nothing_twice(store: Store) -> None:
    add = store.profiles.add
    add("ann", "fact", "The user's name is Ann.")
    add("ann", "style", "The user wants brief answers.")
    again = add("ann", "style", "The user wants brief answers.")
    add("ann", "fact", "The user is a nurse.")
    add("ann", "fact", "The user's name is Anna.")
    add("ann", "style", "The user wants detailed answers.")
    kept = [entry.text for entry in store.profiles.entries("ann")]
    assert kept == ["The user is a nurse.", "The user's name is Anna.", "The user wants detailed answers."]
    assert again.id not in {entry.id for entry in store.profiles.entries("ann")}
    with pytest.raises(InputError, match="empty"):
        add("ann", "fact", " \n")


def test_entries_expire_and_are_gone_then(url: str) -> None:
    now = [1000.0]
    store = open_store(url, clock=lambda: now[0])
    store.profiles.add("ann", "style", "The user wants brief answers.", days=1)
    now[0] += 86_000
    assert len(store.profiles.entries("ann")) == 1
    now[0] += 1000
    assert store.profiles.entries("ann") == []
    now[0] = 1000.0
    assert store.profiles.entries("ann") == []


def test_a_profile_is_full_one_day(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doceo.app.store.profiles._MOST", 2)
    store.profiles.add("ann", "fact", "Fact 1.")
    store.profiles.add("ann", "fact", "Fact 2.")
    with pytest.raises(InputError, match="holds 2 entries"):
        store.profiles.add("ann", "fact", "Fact 3.")


def test_writers_at_once_keep_every_exchange_whole(url: str) -> None:
    store = open_store(url)
    talk = store.conversations.start("ann")

    def write(writer: int) -> None:
        own = open_store(url)
        for number in range(8):
            own.conversations.add("ann", talk.id, exchange(f"q {writer} {number}", answer(f"a {writer} {number}")))
        own.close()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    turns = store.conversations.turns("ann", talk.id)
    assert len(turns) == 64
    for asked, said in zip(turns[::2], turns[1::2], strict=True):
        assert asked.message.content[1:] == said.message.content[1:]


def test_two_that_open_an_empty_database_at_once_make_it_once(url: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(lambda _: open_store(url), range(4)))
    stores[0].conversations.start("ann")
    assert len(stores[3].conversations.all("ann")) == 1


def test_the_migrations_make_the_tables_that_the_program_knows(url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    open_store(url).close()
    with Database(url).writing() as connection:
        assert version(connection) == HEAD
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    assert service_tables.keys.name in metadata.tables


def test_a_database_of_the_first_version_is_upgraded_and_keeps_what_it_holds(url: str) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(schema.__file__).parent / "migrations"))
    config.set_main_option("path_separator", "newline")
    with Database(url).writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        row = "INSERT INTO conversations VALUES ('c1', 'ann', 'Ferries', 'runs/a', 1.5, 2.5)"
        connection.execute(text(row))
    (kept,) = open_store(url).conversations.all("ann")
    assert (kept.id, kept.title, kept.about, kept.created, kept.metadata) == ("c1", "Ferries", "runs/a", 1.5, {})


def test_tables_of_a_newer_program_are_left_alone(url: str) -> None:
    open_store(url).close()
    with Database(url).writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageError, match="newer version of Doceo") as raised:
        open_store(url)
    assert "DOCEO_DATABASE_URL" in raised.value.hint


def test_no_byte_of_what_is_deleted_stays_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "talk.sqlite"
    store = open_store(f"sqlite:///{file}")
    assert file.stat().st_mode & 0o777 == 0o600
    talks = [store.conversations.start("ann") for _ in range(12)]
    for round_ in range(2):
        for talk in talks:
            said = f"marker-{talk.id} " + "word " * (7 + round_ * 40)
            turn, _ = store.conversations.add("ann", talk.id, exchange(said, answer(said)))
            store.conversations.summaries("ann", talk.id)[f"h{round_}"] = said
        store.profiles.add("ann", "fact", f"marker-entry-{round_}", source=turn.id)
    for talk in talks[:-1]:
        assert f"marker-{talk.id}".encode() in file.read_bytes()
        store.conversations.delete("ann", talk.id)
        left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert f"marker-{talk.id}".encode() not in left
        assert talk.id.encode() not in left
    assert b"marker-entry" in file.read_bytes()
    store.conversations.delete_all("ann")
    left = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"marker" not in left
    entry = store.profiles.add("ann", "fact", "marker-one")
    store.profiles.edit("ann", entry.id, "marker-two")
    assert b"marker-one" not in file.read_bytes()
    store.profiles.delete("ann", entry.id)
    assert b"marker" not in file.read_bytes()


def moved_rows(file: Path, seed: int) -> tuple[Database, list[bytes]]:
    """Return a database whose rows grew, some of them deleted, and what marks the deleted ones."""
    draw, database = random.Random(seed), Database(f"sqlite:///{file}", scrub_later=True)
    with database.writing() as rows:
        rows.execute(text("CREATE TABLE t (id INTEGER PRIMARY KEY, said TEXT)"))
        for most in (60, 400):
            for number in range(300):
                said = f"marker-{number}-" + "q" * draw.randint(1, most)
                rows.execute(text("REPLACE INTO t VALUES (:number, :said)"), {"number": number, "said": said})
    with database.writing() as rows:
        rows.execute(text("DELETE FROM t WHERE id % 2 = 1"))
        database.mark_deleted(rows)
    return database, [f"marker-{number}-".encode() for number in range(1, 300, 2)]


def test_copies_of_rows_that_moved_to_another_page_go_too(tmp_path: Path) -> None:
    """Overwriting deleted cells is not enough, which is why the file is written anew after a deletion."""
    for seed in range(8):
        file = tmp_path / f"{seed}.sqlite"
        database, gone = moved_rows(file, seed)
        if any(marker in file.read_bytes() for marker in gone):
            break
    else:
        pytest.skip("this version of SQLite leaves no copies behind")
    database.scrub()
    assert not any(marker in file.read_bytes() for marker in gone)
    assert b"marker-298-" in file.read_bytes()


def pages(file: Path, *names: str) -> list[int]:
    """Return numbers that SQLite keeps of a file."""
    with closing(sqlite3.connect(file)) as connection:
        return [connection.execute(f"PRAGMA {name}").fetchone()[0] for name in names]


def test_a_service_scrubs_once_for_many_deletions_and_after_one_that_died(tmp_path: Path) -> None:
    file = tmp_path / "talk.sqlite"
    store = open_store(f"sqlite:///{file}", scrub_later=True)
    for _ in range(5):
        talk = store.conversations.start("ann")
        store.conversations.add("ann", talk.id, exchange("x" * 9000, answer("y" * 9000)))
        store.conversations.delete("ann", talk.id)
    assert pages(file, "user_version")[0] == 5
    assert pages(file, "freelist_count")[0] > 0
    later = open_store(f"sqlite:///{file}", scrub_later=True).database  # another process: what is to be done is kept
    later.scrub()
    assert pages(file, "user_version", "freelist_count") == [0, 0]
    entry = store.profiles.add("ann", "fact", "Fact 1.")
    with pytest.raises(InputError), store.database.writing() as connection:
        store.database.mark_deleted(connection)
        raise InputError("No.", hint="Never.")
    assert pages(file, "user_version") == [0]
    store.profiles.delete("ann", entry.id)
    assert pages(file, "user_version") == [1]


WRITER = """
import sys
from doceo.app.store import open_store
from doceo.app.store.said import exchange
from doceo.core.records import Answer
store = open_store(sys.argv[1])
talk = store.conversations.start("ann")
print(talk.id, flush=True)
for number in range(100_000):
    store.conversations.add("ann", talk.id, exchange(f"q {number} " + "x" * 5000, Answer(text=f"a {number}")))
"""


@pytest.mark.crash
def test_a_writer_that_is_killed_leaves_whole_exchanges(url: str) -> None:
    open_store(url).close()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    for seconds in (0.1, 0.3, 0.5):
        command = [sys.executable, "-c", WRITER, url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as writer:
            assert writer.stdout is not None
            talk = writer.stdout.readline().strip()
            time.sleep(seconds)
            writer.send_signal(signal.SIGKILL)
        store = open_store(url)
        turns = store.conversations.turns("ann", talk)
        assert len(turns) % 2 == 0
        store.conversations.add("ann", talk, exchange("Still there?", answer("Yes.")))
        assert len(store.conversations.turns("ann", talk)) == len(turns) + 2
        store.close()


@pytest.mark.parametrize("content", [b"no database" * 100, None])
def test_a_damaged_file_is_refused_with_the_way_back(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "talk.sqlite"
    if content is None:
        store = open_store(f"sqlite:///{file}")
        store.conversations.add("ann", store.conversations.start("ann").id, exchange("x" * 9000, answer("y" * 9000)))
        store.close()
        whole = file.read_bytes()
        content = whole[:5000] + b"\xff" * 20_000 + whole[25_000:]
    file.write_bytes(content)
    with pytest.raises(StorageError, match=r"talk\.sqlite") as raised:
        opened = open_store(f"sqlite:///{file}")
        for one in opened.conversations.all("ann"):
            opened.conversations.turns("ann", one.id)
    assert "Move the file away" in raised.value.hint


def test_a_file_that_another_process_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doceo.app.store.engine._WAIT", 0.1)
    file = tmp_path / "talk.sqlite"
    store = open_store(f"sqlite:///{file}")
    talk = store.conversations.start("ann")
    later = Database(f"sqlite:///{file}", scrub_later=True)
    with later.writing() as connection:
        later.mark_deleted(connection)
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    for write in (lambda: store.conversations.delete("ann", talk.id), later.scrub):
        with pytest.raises(StorageError, match="locked"):
            write()
    holder.execute("ROLLBACK")
    assert store.conversations.delete("ann", talk.id)


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(StorageError, match="file"):
        open_store(f"sqlite:///{tmp_path / 'file' / 'talk.sqlite'}")


@pytest.mark.parametrize(
    "address", ["mysql://me:secret@host/db", "sqlite://", "sqlite:///:memory:", "no address secret"]
)
def test_addresses_of_other_databases_are_refused_without_their_password(address: str) -> None:
    with pytest.raises(ConfigError) as raised:
        open_store(address)
    assert "secret" not in raised.value.message + raised.value.hint


def test_a_server_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    address = "postgres://me:secret@127.0.0.1:1/db"
    assert shown(address) == "postgres://127.0.0.1/db"
    assert exists(address)
    if find_spec("psycopg") is not None:
        with pytest.raises(StorageError) as raised:
            open_store(address)
        assert "secret" not in raised.value.message
    monkeypatch.setattr("doceo.app.store.engine.find_spec", lambda name: None)
    with pytest.raises(MissingExtra) as missing:
        open_store(address)
    assert "doceo[postgres]" in missing.value.hint


def test_looking_makes_nothing() -> None:
    assert not exists("")
    assert shown("") == str(default_file()) == "runs/.doceo.sqlite"
    assert not default_file().exists()
    open_store().close()
    assert exists("")
    assert default_file().stat().st_mode & 0o777 == 0o600


def test_two_that_change_a_profile_at_once(url: str) -> None:
    store, together = open_store(url), Barrier(4)

    def change(number: int) -> None:
        together.wait()
        store.profiles.enable("ann", enabled=True)
        store.profiles.add("ann", "fact", "The user is a nurse.")
        store.profiles.add("ann", "style", f"The user wants {('brief', 'detailed')[number % 2]} answers.")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(change, range(4)))
    assert store.profiles.enabled("ann")
    assert sorted(entry.kind for entry in store.profiles.entries("ann")) == ["fact", "style"]


def test_pages_of_conversations_and_turns(store: Store) -> None:
    made = [store.conversations.start("ann", ordered=True).id for _ in range(3)]
    store.conversations.start("bob", ordered=True)
    assert [one.id for one in store.conversations.page("ann", Cursor(limit=2)).data] == made[:0:-1]
    store.conversations.delete("ann", made[1])
    assert [one.id for one in store.conversations.page("ann", Cursor(after=made[1])).data] == made[:1]
    said = [Said(Message(role="user", content=str(number))) for number in range(5)]
    turns = store.conversations.add("ann", made[0], said)
    assert store.conversations.turns("ann", made[0]) == turns
    assert store.conversations.turn("ann", made[0], turns[2].id) == turns[2]
    for turn in turns[1:4]:
        store.conversations.remove("ann", made[0], turn.id)
    left = [turns[0], turns[4]]
    page = store.conversations.page_of_turns
    assert page("ann", made[0], Cursor(order="asc", limit=1)) == Page(left[:1], more=True)
    for gone in turns[1:4]:
        assert page("ann", made[0], Cursor(after=gone.id, order="asc")) == Page(left[1:], more=False)
        assert page("ann", made[0], Cursor(before=gone.id)) == Page(left[1:], more=False)
    assert page("bob", made[0], Cursor()).data == []
    for missing in (
        lambda: page("ann", made[0], Cursor(after="x")),
        lambda: store.conversations.turn("bob", made[0], "x"),
    ):
        with pytest.raises(NotFound):
            missing()


def test_several_conversations_that_begin_alike_are_told_apart(tmp_path: Path) -> None:
    ids = iter(["aa1", "t1", "t2", "aa2"])
    store = open_store(f"sqlite:///{tmp_path / 'x.sqlite'}", ids=lambda: next(ids))
    talk = store.conversations.start("ann")
    store.conversations.add("ann", talk.id, [Said(Message(role="user", content="Hi")), *exchange("x", answer("y"))[1:]])
    store.conversations.start("ann")
    assert store.conversations.find("ann", "aa1").id == "aa1"
    for beginning, words in (
        ("aa", "Several"),
        ("b", "no conversation b"),
        ("", "no conversation"),
        ("%", "no conver"),
    ):
        with pytest.raises(InputError, match=words):
            store.conversations.find("ann", beginning)


def test_files_and_vector_stores_are_kept_alike_in_both(store: Store) -> None:
    files = [store.files.new("ann", f"a/{n}.md", "assistants", size=n, sha256="0" * 64) for n in (1, 1, 2)]
    for file in files:
        store.files.add(file)
    assert store.files.page("ann", Cursor(limit=2)) == Page(files[:0:-1], more=True)
    assert store.files.page("ann", Cursor(after=files[1].id)).data == files[:1]
    kept = store.vector_stores.create("ann", "na\0me", {"k": "\0"}, 7)
    assert (kept.metadata, kept.name, kept.counts.total, kept.bytes) == ({"k": "\0"}, "na\ufffdme", 0, 0)
    batch, rows = store.attachments.add(kept.id, [(file, {"n": 1, "t": True, "x": 0.5}) for file in files], batch=True)
    assert [row.source for row in rows] == ["1.md", f"{files[1].id}/1.md", "2.md"]
    assert store.attachments.get(kept.id, files[0].id) == rows[0]
    store.attachments.completed(kept.id, {files[0].id: 10, files[1].id: 5})
    store.attachments.failed(kept.id, {files[2].id: ReadError(code="invalid_file", message="damaged")})
    assert store.vector_stores.get("ann", kept.id).bytes == 15
    assert store.batches.get(kept.id, batch)[1] == FileCounts(completed=2, failed=1)
    again, (first, last) = store.attachments.add(kept.id, [(files[0], None), (files[2], {"n": 3})], batch=True)
    assert (first.status, first.bytes, first.attributes) == ("completed", 10, {"n": 1, "t": True, "x": 0.5})
    assert (last.status, last.error, last.attributes) == ("in_progress", None, {"n": 3})
    assert store.batches.get(kept.id, batch)[1] == FileCounts(completed=2, in_progress=1)
    store.batches.cancel(kept.id, again)
    assert store.batches.get(kept.id, again)[1] == FileCounts(completed=1, cancelled=1)
    assert store.attachments.page(kept.id, Cursor(), batch=again).data == [
        store.attachments.get(kept.id, files[2].id),
        first,
    ]
    assert store.attachments.left(kept.id) is None
    assert store.files.remove(files[0]) == [kept.id]
    assert store.vector_stores.unfinished() == [kept.id]
    assert store.attachments.left(kept.id) == (f"{files[1].id}/1.md",)
    assert store.batches.get(kept.id, again)[1] == FileCounts(cancelled=1)
    store.attachments.forget(kept.id, [file.id for file in files])
    assert {row.file for row in store.attachments.all(kept.id)} == {file.id for file in files[1:]}
    assert store.vector_stores.expired() == []
    store.vector_stores.change("ann", kept.id, {"expires_days": 0})
    assert store.vector_stores.expired() == [kept.id]
    assert store.vector_stores.named("ann", "na\ufffdme") == store.vector_stores.get("ann", kept.id)
    assert [one.id for one in store.vector_stores.page("ann", Cursor()).data] == [kept.id]
    for foreign in (store.vector_stores.get, store.vector_stores.delete, store.files.get):
        with pytest.raises(NotFound):
            foreign("bob", kept.id)
    with pytest.raises(InputError):  # PostgreSQL cannot even be asked for it
        store.files.get("ann", "\0")
    store.vector_stores.delete("ann", kept.id)
    assert store.vector_stores.owner(kept.id) is None
    store.vector_stores.forget(kept.id)
    assert store.attachments.all(kept.id) == []
    with pytest.raises(NotFound):
        store.batches.get(kept.id, batch)
