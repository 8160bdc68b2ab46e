"""Keys, what they use and the audit log, in a SQLite file and where it can be started in PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import text

from doceo.app.store import Store, open_store
from doceo.app.store.audit import Entry
from doceo.app.store.keys import Keys
from doceo.app.store.usage import Used
from doceo.core.errors import InputError
from tests.postgres import PostgresServer, postgres_server


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'kept.sqlite'}"
    else:
        url = request.getfixturevalue("postgres").empty()
    clock, ids = count(1000.0), count(1)
    store = open_store(url, clock=lambda: next(clock), ids=lambda: f"{next(ids):04}")
    yield store
    store.close()


def test_a_key_is_found_by_its_secret_only(store: Store) -> None:
    key, secret = store.keys.create("ana", "laptop", ("chat", "train"), collections=("a", "b"), tokens_per_day=5)
    assert store.keys.find(secret) == key
    assert store.keys.all() == store.keys.all("ana") == [key]
    assert store.keys.all("bo") == []
    for wrong in ("", secret[:-1], f"{secret} ", "dk-", key.id, "\ud800", "' OR 1=1 --", "\0"):
        assert store.keys.find(wrong) is None
    assert key.scopes == ("chat", "train")
    assert key.collections == ("a", "b")


def test_the_secret_is_not_in_the_database(store: Store) -> None:
    _, secret = store.keys.create("ana", "", ("chat",), collections=())
    assert store.keys.all()[0].collections == ()
    with store.database.reading() as connection:
        rows = str(connection.execute(text("SELECT * FROM keys")).all())
    assert secret not in rows
    assert secret.removeprefix("dk-")[:12] not in rows


def test_a_key_stays_revoked_and_counts_as_one(store: Store) -> None:
    assert not store.keys.any()
    key, secret = store.keys.create("ana", "", ("chat",))
    first = store.keys.revoke(key.id)
    assert first.revoked is not None
    assert store.keys.revoke(key.id) == first == store.keys.find(secret)
    assert store.keys.any()
    with pytest.raises(InputError, match="no key nothing"):
        store.keys.revoke("nothing")


def test_secrets_are_what_they_are_told_to_be(store: Store) -> None:
    keys = Keys(store.database, lambda: 1.0, lambda: "x", secret=lambda: "dk-known")
    key, secret = keys.create("ana", "", ("chat",))
    assert (secret, keys.find("dk-known")) == ("dk-known", key)


def test_use_is_added_up_by_several_at_once(store: Store) -> None:
    def spend(n: int) -> None:
        for _ in range(5):
            keys = ("a", "b") if n % 2 else ("b", "a")
            store.usage.add([Used(key, 3, requests=1, prompt_tokens=2, completion_tokens=n) for key in keys])

    threads = [threading.Thread(target=spend, args=(n,)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.usage.all(3)["a"] == Used("a", 3, requests=30, prompt_tokens=60, completion_tokens=75)
    assert store.usage.tokens("b", 3) == 135
    assert store.usage.tokens("b", 4) == store.usage.tokens("c", 3) == 0


def test_the_audit_log_keeps_what_is_well_formed(store: Store) -> None:
    wild = Entry(at=1.0, action="GET " + "x" * 500, object="\0\ud800" + "y" * 500, outcome=401, address="z" * 99)
    plain = Entry(at=2.0, owner="ana", key="key_1", action="DELETE /v1/files/{file_id}", object="f", outcome=200)
    store.audit.add([wild, plain])
    latest, cut = store.audit.latest(10)
    assert latest == plain
    assert (len(cut.action), len(cut.object), len(cut.address)) == (64, 256, 64)
    assert store.audit.latest(10, owner="ana") == [plain]
    assert store.audit.latest(1) == store.audit.latest(10, since=1.5) == [plain]
    assert store.audit.prune(0) == 2
    store.audit.add([])
    assert store.audit.latest(10) == []


def test_all_rows_of_an_owner_go_but_those_of_the_audit_log(store: Store) -> None:
    for owner in ("ana", "bo"):
        key, _ = store.keys.create(owner, "laptop", ("chat",))
        store.usage.add([Used(key.id, 1, 1, 1, 1)])
        store.audit.add([Entry(at=1.0, owner=owner, action="POST", outcome=200)])
        talk = store.conversations.start(owner)
        store.vector_stores.create(owner, "s")
        store.files.add(store.files.new(owner, "a.md", "assistants", size=1, sha256=""))
        assert talk.turns == 0
    store.forget("ana")
    assert store.owners.counts("ana") == {}
    assert store.owners.counts("bo") == {"conversations": 1, "files": 1, "keys": 1, "vector_stores": 1}
    assert [key.owner for key in store.keys.all()] == ["bo"]
    assert len(store.usage.all(1)) == 1
    store.forget("bo")
    (left,) = store.keys.all()
    assert (left.owner, left.name) == ("", "")
    assert left.revoked
    assert {entry.owner for entry in store.audit.latest(9)} == {"ana", "bo"}
