"""Indexing of a vector store, killed again and again: the index ends as the files say."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from doceo.app.host import Host
from doceo.app.jobs.indexing import Indexing
from doceo.app.store.files import StoredFile
from rag import versions
from rag.texts import FILE, Texts
from tests.service.keeping import keeping_host

ROOT = Path(__file__).resolve().parents[2]
FILES = 30


def text(n: int) -> bytes:
    facts = [f"Pier {n} of Bryne was built in {1800 + n * 3 + k} by the company Keel{n}x{k}." for k in range(20)]
    return f"# Pier {n}\n\n".encode() + "\n\n".join(facts).encode()


def kept(host: Host, n: int) -> StoredFile:
    with host.uploads.receiving() as incoming:
        incoming.write(text(n))
        return host.uploads.keep(incoming, "ana", f"pier{n}.md", "assistants")


def held(host: Host, store: str) -> list[tuple[object, ...]]:
    """Return all that an index holds of texts."""
    version = versions.current(host.home / ".collections" / store)
    assert version is not None
    texts = Texts(version / FILE)
    try:
        return texts.query(
            "SELECT s.source, d.text, c.id, c.text FROM sources s JOIN documents d ON d.id = s.document_id"
            " JOIN chunks c ON c.document_id = d.id ORDER BY s.source, c.start"
        )
    finally:
        texts.close()


def changed(host: Host) -> str:
    """Return a store of which ten files are indexed, five of these are to go and twenty are to come."""
    store = host.store.vector_stores.create("ana").id
    files = [kept(host, n) for n in range(FILES)]
    host.store.attachments.add(store, [(file, {}) for file in files[:10]])
    host.indexing.soon(store)
    for file in files[:5]:
        host.uploads.delete(file)
    host.store.attachments.add(store, [(file, {}) for file in files[10:]])
    return store


def started(host: Host, store: str) -> subprocess.Popen[bytes]:
    env = {**os.environ, "PYTHONPATH": str(ROOT), "DOCEO_DATABASE_URL": host.settings.database_url}
    return subprocess.Popen([sys.executable, "-m", "doceo.app.jobs.indexing", store, str(host.home)], env=env)


@pytest.mark.crash
@pytest.mark.parametrize("seed", [1, 2])
def test_indexing_that_is_killed_ends_as_if_it_had_not_been(tmp_path: Path, seed: int) -> None:
    calm, wild = keeping_host(tmp_path / "calm"), keeping_host(tmp_path / "wild")
    expected = changed(calm)
    calm.indexing.soon(expected)
    store = changed(wild)
    chance = random.Random(seed)
    kills = 0
    # The shortest first: once it has come to its end, nothing is left to be killed at.
    for seconds in sorted(chance.uniform(0.4, 4.0) for _ in range(12)):
        child = started(wild, store)
        time.sleep(seconds)
        if child.poll() is None:
            kills += 1
        child.kill()
        child.wait()
    assert kills
    child = started(wild, store)
    assert child.wait(120) == 0
    assert held(wild, store) == held(calm, expected)
    rows = wild.store.attachments.all(store)
    assert {row.status for row in rows} == {"completed"}
    assert len(rows) == FILES - 5
    folder = wild.home / ".collections" / store
    bytes_held = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert not [n for n in range(5) if f"Keel{n}x".encode() in bytes_held]
    assert wild.store.vector_stores.unfinished() == []


@pytest.mark.crash
def test_two_that_index_one_store_do_so_one_after_the_other(tmp_path: Path) -> None:
    host = keeping_host(tmp_path / "runs")
    store = changed(host)
    children = [started(host, store) for _ in range(3)]
    assert [child.wait(120) for child in children] == [0, 0, 0]
    assert len({row[0] for row in held(host, store)}) == FILES - 5
    Indexing(host.settings, host.store, host.uploads, host.home).run(store)
