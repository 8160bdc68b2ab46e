"""Everything of an owner is deleted, wherever it lies; nothing of others is, and the audit log stays."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import func, select
from typer.testing import CliRunner

from doceo.app import forgetting
from doceo.app.forgetting import forget
from doceo.app.host import Host
from doceo.app.store import open_store
from doceo.app.store.audit import Entry
from doceo.app.store.job_leases import LeaseLost
from doceo.app.store.tables import metadata
from doceo.app.store.usage import Used
from doceo.cli import keys
from doceo.cli.console import Console
from doceo.cli.main import app as program
from doceo.core.errors import InputError, JobHeld
from doceo.core.jobs import Job
from tests.service.keeping import keeping_host
from tests.service.serving import host_in
from tests.service.two_owners import SPEC, TEXT, objects_of

SAY = Console(as_json=True)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    """A service with everything of one owner, and something of another."""
    host = keeping_host(tmp_path)
    ids, store = objects_of(host, "ana", TEXT), host.store
    weights = host.jobs / ids["job_id"] / "adapter" / "weights"
    weights.parent.mkdir(parents=True)
    weights.write_bytes(TEXT)
    store.profiles.enable("ana", enabled=True)
    store.conversations.summaries("ana", ids["conversation_id"])["h"] = TEXT.decode()
    for name in ("ana", "bo"):
        key, _ = store.keys.create(name, "laptop", ("chat",))
        store.usage.add([Used(key.id, 1, 2, 3, 4)])
        store.audit.add([Entry(at=1.0, owner=name, action="POST /v1/files", outcome=200)])
    store.conversations.start("bo")
    store.profiles.add("bo", "fact", "I live in Voss.")
    host.uploads.put("bo", Path(forgetting.__file__), "a.py", "assistants")
    return host


def rows(host: Host, owner: str) -> dict[str, int]:
    """Return how many rows of each table are an owner's, where there are some."""
    with host.store.database.reading() as connection:
        counts = {
            table.name: connection.scalar(select(func.count()).where(table.c.owner == owner)) or 0
            for table in metadata.tables.values()
            if "owner" in table.c
        }
    return {name: count for name, count in counts.items() if count}


def holding(host: Host) -> list[Path]:
    """Return the files that hold the text of the owner."""
    return [path for path in host.home.rglob("*") if path.is_file() and b"7134" in path.read_bytes()]


def test_nothing_of_an_owner_stays_in_the_database_or_on_the_disk(host: Host) -> None:
    others, waited = rows(host, "bo"), list[float]()
    everything = {"conversations", "files", "jobs", "keys", "models", "profile_entries", "profile_settings"}
    assert rows(host, "ana").keys() >= everything | {"summaries", "turns", "vector_stores"}
    assert len(holding(host)) > 3
    gone = forget(host, "ana", SAY, waited.append)
    assert gone["files"] == gone["vector_stores"] == gone["jobs"] == gone["models"] == 1
    assert waited, "a service that runs may let the key in for a second"
    assert rows(host, "ana") == {"audit": 1}
    assert rows(host, "bo") == others
    assert {used.key for used in host.store.usage.all(1).values()} == {host.store.keys.all("bo")[0].id}
    assert holding(host) == []
    assert len([*host.files.iterdir()]) == 1
    with pytest.raises(InputError, match="nothing of 'ana'"):
        forget(host, "ana", SAY)


def test_a_service_whose_last_owner_is_gone_stays_closed(tmp_path: Path) -> None:
    host = host_in(tmp_path)
    for owner in ("ana", "bo"):
        key, _ = host.store.keys.create(owner, "laptop", ("chat",))
        host.store.usage.add([Used(key.id, 1, 2, 3, 4)])
    for owner in ("ana", "bo"):
        forget(host, owner, SAY, lambda seconds: None)
    (left,) = host.store.keys.all()
    assert host.store.keys.any()
    assert (left.owner, left.name, left.revoked is None) == ("", "", False)
    assert host.store.usage.all(1) == {}


def test_jobs_that_run_are_ended_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    host = host_in(tmp_path)
    store = host.store
    file = host.uploads.put("ana", Path(__file__), "a.py", "fine-tune")
    made = store.jobs.create("ana", "fine_tuning", SPEC, lambda connection, job: None)
    store.workers.join("w1")
    job: Job | None = store.leases.take(made.id, 1, "w1")
    assert job is not None
    monkeypatch.setattr(forgetting, "_ENDING", -1.0)
    with pytest.raises(JobHeld, match=job.id):
        forget(host, "ana", SAY, lambda seconds: None)
    assert host.uploads.path(file).exists(), "what its job works with is still there"
    monkeypatch.setattr(forgetting, "_ENDING", 60.0)

    def works(seconds: float) -> None:
        assert store.leases.wanted(job) == "cancel"
        store.leases.end(job, "cancelled", (), result={})

    forget(host, "ana", SAY, works)
    with pytest.raises(LeaseLost):
        store.leases.wanted(job)


def test_the_command_line_forgets_and_says_what(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(forgetting, "_LET_IN", 0.0)

    def run(*words: str) -> Any:
        return json.loads(CliRunner().invoke(program, ["keys", *words, "--json"], prog_name="doceo").stdout)

    run("create", "--owner", "ana")
    run("create", "--owner", "bo")
    refused = run("forget", "ana")["error"]
    assert (refused["code"], "1 keys" in refused["message"], "--yes" in refused["hint"]) == ("usage", True, True)
    assert run("forget", "ana", "--yes") == {"owner": "ana", "deleted": {"keys": 1}}
    assert [key["owner"] for key in run("list")["keys"]] == ["bo"]
    assert run("forget", "ana")["error"]["code"] == "input"


@pytest.mark.parametrize(("answer", "code", "left"), [("y\n", 0, []), ("\n", 1, ["ana"]), ("", 1, ["ana"])])
def test_a_person_is_asked_first(
    answer: str, code: int, left: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Terminal(StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(forgetting, "_LET_IN", 0.0)
    store = open_store()
    store.keys.create("ana", "", ("chat",))
    monkeypatch.setattr(keys, "sys", SimpleNamespace(stdin=Terminal(answer)))
    result = CliRunner().invoke(program, ["keys", "forget", "ana"], prog_name="doceo")
    assert result.exit_code == code
    assert "everything of ana, for good: 1 keys" in result.stderr
    assert [key.owner for key in store.keys.all("ana")] == left
