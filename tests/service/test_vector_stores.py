"""`/v1/vector_stores` as the stock client uses it."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from data.store import Run
from doceo.app.host import Host
from doceo.app.store.vector_stores import DAY
from doceo.core.errors import StorageError
from doceo.service.housekeeping import sweep
from doceo.service.http import create_app
from rag.copying import copy_index
from tests.service.keeping import keeping_host, key_of
from tests.service.serving import client_of, host_in, serving
from tests.service.working import until, working

FERRY = b"# The Bryne ferry\n\nThe Bryne ferry was opened in 1902. It carries 12 cars and 80 people.\n"
MASTER = b"The harbour master of Bryne is called Olga Holm. She lives in the white lighthouse.\n"
MARKET = b"The fish market of Bryne opens on Tuesdays at six in the morning, in summer at five.\n"


@pytest.fixture(scope="module")
def host(indexed: Path, tmp_path_factory: pytest.TempPathFactory) -> Host:
    host = keeping_host(tmp_path_factory.mktemp("home"))
    copy_index(Run(indexed).index, host.home / ".collections" / "library")
    return host


@pytest.fixture(scope="module")
def keys(host: Host) -> dict[str, str]:
    return {"ana": key_of(host, "ana"), "ben": key_of(host, "ben"), "root": key_of(host, "root", "admin")}


@pytest.fixture(scope="module")
def address(host: Host, keys: dict[str, str]) -> Iterator[str]:
    with serving(create_app(host)) as found:
        yield found


@pytest.fixture
def ana(address: str, keys: dict[str, str]) -> openai.OpenAI:
    return client_of(address, keys["ana"])


@pytest.fixture
def ben(address: str, keys: dict[str, str]) -> openai.OpenAI:
    return client_of(address, keys["ben"])


def upload(client: openai.OpenAI, name: str, content: bytes) -> str:
    return client.files.create(file=(name, content), purpose="assistants").id


def names(client: openai.OpenAI, store: str, query: str | list[str], **more: Any) -> list[str]:
    return [hit.filename for hit in client.vector_stores.search(store, query=query, **more)]


def test_a_store_from_beginning_to_end(ana: openai.OpenAI, host: Host) -> None:
    ferry, master = upload(ana, "ferry.md", FERRY), upload(ana, "master.txt", MASTER)
    store = ana.vector_stores.create(name="harbour", file_ids=[ferry], metadata={"town": "Bryne"})
    assert (store.name, store.metadata, store.status) == ("harbour", {"town": "Bryne"}, "completed")
    added = ana.vector_stores.files.create_and_poll(master, vector_store_id=store.id, attributes={"year": 1902})
    assert (added.status, added.attributes, added.usage_bytes) == ("completed", {"year": 1902}, len(MASTER))
    store = ana.vector_stores.retrieve(store.id)
    assert (store.file_counts.completed, store.file_counts.total) == (2, 2)
    assert store.usage_bytes == len(FERRY) + len(MASTER)

    hit = next(iter(ana.vector_stores.search(store.id, query="Who is the harbour master?")))
    assert (hit.file_id, hit.filename, hit.attributes) == (master, "master.txt", {"year": 1902})
    assert "Olga Holm" in hit.content[0].text
    span = hit.span  # type: ignore[attr-defined]
    (content,) = ana.vector_stores.files.content(master, vector_store_id=store.id)
    assert (content.text or "")[span["start"] : span["end"]] == hit.content[0].text

    changed = ana.vector_stores.update(store.id, name="port", expires_after={"anchor": "last_active_at", "days": 7})
    assert (changed.name, changed.metadata) == ("port", {"town": "Bryne"})
    assert changed.expires_at == (changed.last_active_at or 0) + 7 * DAY
    assert ana.vector_stores.update(store.id, metadata=None, expires_after=None).metadata == {}  # type: ignore[arg-type]

    assert ana.vector_stores.files.delete(ferry, vector_store_id=store.id).deleted
    assert names(ana, store.id, "When was the ferry opened?") == ["master.txt"]
    assert ana.files.retrieve(ferry).filename == "ferry.md"
    ana.files.delete(master)
    assert ana.vector_stores.retrieve(store.id).file_counts.total == 0
    assert names(ana, store.id, "Who is the harbour master?") == []
    folder = host.home / ".collections" / store.id
    held = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"Olga" not in held
    assert b"olga" not in held
    assert ana.vector_stores.delete(store.id).deleted
    assert not folder.exists()
    with pytest.raises(openai.NotFoundError):
        ana.vector_stores.retrieve(store.id)


def test_two_files_of_one_name_and_two_of_one_text_are_told_apart(ana: openai.OpenAI) -> None:
    one, two, three = upload(ana, "a.md", FERRY), upload(ana, "x/a.md", MASTER), upload(ana, "c.md", FERRY)
    store = ana.vector_stores.create().id
    ana.vector_stores.file_batches.create_and_poll(
        store,
        files=[
            {"file_id": one, "attributes": {"n": 1}},
            {"file_id": two, "attributes": {"n": 2}},
            {"file_id": three, "attributes": {"n": 3}},
        ],
    )
    files = {file.id: file for file in ana.vector_stores.files.list(store)}
    assert {files[key].source for key in files} == {"a.md", f"{two}/a.md", "c.md"}  # type: ignore[attr-defined]
    for key, n in ((one, 1), (three, 3)):
        (hit,) = ana.vector_stores.search(store, query="ferry", filters={"type": "eq", "key": "n", "value": n})
        assert hit.file_id == key
    ana.vector_stores.files.delete(one, vector_store_id=store)
    assert next(iter(ana.vector_stores.search(store, query="When was the ferry opened?"))).file_id == three
    ana.vector_stores.delete(store)


def test_batches(ana: openai.OpenAI, host: Host) -> None:
    files = [upload(ana, f"{n}.md", text) for n, text in enumerate((FERRY, MASTER, MARKET))]
    bad = upload(ana, "photo.png", b"\x89PNG\r\n\x1a\n")
    store = ana.vector_stores.create().id
    batch = ana.vector_stores.file_batches.create_and_poll(
        store, file_ids=[*files, bad, files[0]], attributes={"kind": "town"}
    )
    assert (batch.status, batch.file_counts.completed, batch.file_counts.failed) == ("completed", 3, 1)
    assert ana.vector_stores.file_batches.retrieve(batch.id, vector_store_id=store) == batch
    listed = list(ana.vector_stores.file_batches.list_files(batch.id, vector_store_id=store, limit=3, order="asc"))
    assert [file.id for file in listed] == [*files, bad]
    (failed,) = ana.vector_stores.files.list(store, filter="failed")
    assert failed.last_error is not None
    assert failed.last_error.code == "unsupported_file"
    assert "picture" in failed.last_error.message

    host.__dict__["indexing"], at_once = Never(), host.indexing
    try:
        again = ana.vector_stores.file_batches.create(store, file_ids=[files[0]])
        assert (again.status, again.file_counts.total) == ("completed", 1)  # it has no other bytes now
        new = upload(ana, "new.md", b"The lighthouse of Bryne is white.\n")
        later = ana.vector_stores.file_batches.create(store, file_ids=[files[0], new])
        assert (later.status, later.file_counts.completed, later.file_counts.total) == ("in_progress", 1, 2)
        assert ana.vector_stores.retrieve(store).status == "in_progress"
        assert names(ana, store, "Bryne", filters={"type": "eq", "key": "kind", "value": "town"}) == [
            "0.md",
            "1.md",
            "2.md",
        ]
        assert ana.vector_stores.file_batches.cancel(later.id, vector_store_id=store).status == "cancelled"
        assert ana.vector_stores.file_batches.retrieve(batch.id, vector_store_id=store) == batch
    finally:
        host.__dict__["indexing"] = at_once
    host.indexing.all()
    ana.vector_stores.files.update(files[1], vector_store_id=store, attributes={"kind": "person"})
    assert set(names(ana, store, "Bryne")) == {"0.md", "1.md", "2.md"}
    host.store.attachments.remove(store)
    emptied = ana.vector_stores.file_batches.retrieve(batch.id, vector_store_id=store)
    assert (emptied.status, emptied.file_counts.total) == ("completed", 0)
    with pytest.raises(openai.NotFoundError):
        ana.vector_stores.file_batches.create(store, file_ids=[files[0], "file-none"])
    with pytest.raises(openai.BadRequestError, match="file_ids"):
        ana.vector_stores.file_batches.create(store, file_ids=[])
    ana.vector_stores.delete(store)


class Never:
    """Indexes nothing."""

    def soon(self, store: str) -> None:
        pass


@pytest.fixture(scope="module")
def town(address: str, keys: dict[str, str]) -> str:
    client = client_of(address, keys["ana"])
    store = client.vector_stores.create(name="town").id
    rows = {"ferry": (FERRY, {"year": 1902, "open": True, "kind": "boat"}), "master": (MASTER, {"kind": "person"})}
    files = [
        {"file_id": upload(client, f"{name}.md", text), "attributes": attributes}
        for name, (text, attributes) in (rows | {"market": (MARKET, {"year": 1950.5, "open": False})}).items()
    ]
    client.vector_stores.file_batches.create_and_poll(store, files=files)  # type: ignore[arg-type]
    return store


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"type": "eq", "key": "year", "value": 1902}, {"ferry"}),
        ({"type": "ne", "key": "year", "value": 1902}, {"master", "market"}),
        ({"type": "gt", "key": "year", "value": 1902}, {"market"}),
        ({"type": "gte", "key": "year", "value": 1902}, {"ferry", "market"}),
        ({"type": "lt", "key": "year", "value": 1950.5}, {"ferry"}),
        ({"type": "lte", "key": "year", "value": 1}, set()),
        ({"type": "in", "key": "kind", "value": ["boat", "person"]}, {"ferry", "master"}),
        ({"type": "nin", "key": "kind", "value": ["boat"]}, {"master", "market"}),
        ({"type": "eq", "key": "open", "value": True}, {"ferry"}),
        ({"type": "eq", "key": "open", "value": 1}, set()),
        ({"type": "gt", "key": "kind", "value": "c"}, {"master"}),
        ({"type": "gt", "key": "kind", "value": 1}, set()),
        ({"type": "lt", "key": "year", "value": 10**400}, {"ferry", "market"}),
        ({"type": "gte", "key": "year", "value": -(10**400)}, {"ferry", "market"}),
        ({"type": "and", "filters": []}, {"ferry", "master", "market"}),
        (
            {
                "type": "or",
                "filters": [
                    {"type": "eq", "key": "kind", "value": "person"},
                    {
                        "type": "and",
                        "filters": [
                            {"type": "eq", "key": "open", "value": False},
                            {"type": "gt", "key": "year", "value": 1900},
                        ],
                    },
                ],
            },
            {"master", "market"},
        ),
    ],
)
def test_filters(ana: openai.OpenAI, town: str, condition: Any, expected: set[str]) -> None:
    found = names(ana, town, ["the town of Bryne", "ferry harbour master fish market"], filters=condition)
    assert {name.removesuffix(".md") for name in found} == expected


def test_how_is_searched(ana: openai.OpenAI, town: str) -> None:
    query = "When does the fish market open?"
    assert names(ana, town, query, max_num_results=1) == ["market.md"]
    scores = [hit.score for hit in ana.vector_stores.search(town, query=query)]
    assert scores == sorted(scores, reverse=True)
    good = ana.vector_stores.search(town, query=query, ranking_options={"ranker": "none", "score_threshold": 0.9})
    assert [hit.score for hit in good] == [score for score in scores if score >= 0.9]
    by_words = {"hybrid_search": {"embedding_weight": 0, "text_weight": 1}}
    found = ana.vector_stores.search(town, query="Tuesdays", ranking_options=by_words)  # type: ignore[arg-type]
    assert found.data[0].filename == "market.md"
    assert names(ana, town, query, rewrite_query=True)
    for wrong, place in (
        ({"max_num_results": 51}, "max_num_results"),
        ({"filters": {"type": "like", "key": "a", "value": "b"}}, "filters"),
        ({"ranking_options": {"ranker": "best"}}, "ranking_options.ranker"),
        ({"ranking_options": {"score_threshold": 2}}, "ranking_options.score_threshold"),
    ):
        with pytest.raises(openai.BadRequestError) as error:
            ana.vector_stores.search(town, query="x", **wrong)  # type: ignore[arg-type]
        assert str(error.value.param).startswith(place)


def test_answers_over_a_store_name_its_files(ana: openai.OpenAI, ben: openai.OpenAI, town: str) -> None:
    asked: Any = [{"role": "user", "content": "Who is the harbour master of Bryne?"}]
    files = {file.source: file.id for file in ana.vector_stores.files.list(town)}  # type: ignore[attr-defined]
    for model in (f"quote+{town}", "quote+town"):
        reply = ana.chat.completions.create(model=model, messages=asked)
        assert "Olga Holm" in (reply.choices[0].message.content or "")
        assert reply.citations[0]["file_id"] == files["master.md"]  # type: ignore[attr-defined]
        chunks = list(ana.chat.completions.create(model=model, messages=asked, stream=True))
        assert chunks[-1].citations == reply.citations  # type: ignore[attr-defined]
        with pytest.raises(openai.NotFoundError):
            ben.chat.completions.create(model=model, messages=asked)


def test_a_kept_answer_names_the_files_of_a_store(ana: openai.OpenAI, town: str) -> None:
    files = {file.source: file.id for file in ana.vector_stores.files.list(town)}  # type: ignore[attr-defined]
    asked: Any = [{"role": "user", "content": "Who is the harbour master of Bryne?"}]
    reply = ana.chat.completions.create(model=f"quote+{town}", messages=asked, extra_body={"conversation": "new"})
    talk = reply.conversation  # type: ignore[attr-defined]
    ask: Any = {"model": f"quote+{town}", "messages": asked, "extra_body": {"conversation": talk}}
    list(ana.chat.completions.create(stream=True, **ask))
    answers = [item for item in ana.conversations.items.list(talk) if item.role == "assistant"]  # type: ignore[union-attr]
    assert len(answers) == 2
    for item in answers:
        (note, *_) = item.content[0].annotations  # type: ignore[union-attr]
        assert note.file_id == item.citations[0]["file_id"] == files["master.md"]  # type: ignore[union-attr]
        assert ana.files.retrieve(note.file_id).filename == "master.md"  # type: ignore[union-attr]
    ana.conversations.delete(talk)


def test_answers_hold_nothing_of_a_deleted_file_before_the_index_does(ana: openai.OpenAI, host: Host) -> None:
    master, ferry = upload(ana, "master.md", MASTER), upload(ana, "ferry.md", FERRY)
    store = ana.vector_stores.create(file_ids=[master, ferry]).id
    asked: Any = [{"role": "user", "content": "Who is the harbour master of Bryne?"}]

    def hits() -> set[str]:
        reply = ana.chat.completions.create(model=f"quote+{store}", messages=asked)
        return {hit["source"] for hit in reply.hits}  # type: ignore[attr-defined]

    assert hits() == {"master.md", "ferry.md"}
    host.__dict__["indexing"], at_once = Never(), host.indexing
    try:
        ana.files.delete(master)
        assert hits() == {"ferry.md"}
        ana.vector_stores.files.delete(ferry, vector_store_id=store)
        with pytest.raises(openai.BadRequestError, match="holds no files"):
            hits()
        ana.vector_stores.files.create(store, file_id=ferry)
        with pytest.raises(openai.BadRequestError, match="Nothing is indexed yet"):
            hits()
    finally:
        host.__dict__["indexing"] = at_once
    sweep(host)
    assert hits() == {"ferry.md"}
    assert host.store.attachments.left(store) is None
    ana.vector_stores.delete(store)


def test_an_index_that_is_lost_or_damaged_is_made_again(ana: openai.OpenAI, host: Host) -> None:
    file = upload(ana, "ferry.md", FERRY)
    store = ana.vector_stores.create(file_ids=[file]).id
    folder = host.home / ".collections" / store
    ask: Any = {"model": f"quote+{store}", "messages": [{"role": "user", "content": "When was the ferry opened?"}]}
    damage, lose = lambda: (folder / "current").write_text("nonsense"), lambda: shutil.rmtree(folder)
    search, chat = lambda: names(ana, store, "ferry"), lambda: ana.chat.completions.create(**ask)
    for harm, read in ((damage, search), (lose, search), (damage, chat), (lose, chat)):
        harm()
        with pytest.raises(openai.InternalServerError, match="made again") as error:
            read()
        assert (error.value.status_code, error.value.response.headers["retry-after"]) == (503, "5")
        assert read()
    host.__dict__["indexing"], at_once = Never(), host.indexing
    try:
        lose()
        for ask_again in (search, search, chat):  # until it is there
            with pytest.raises(openai.InternalServerError, match="made again"):
                ask_again()
    finally:
        host.__dict__["indexing"] = at_once
    host.indexing.all()
    assert search()
    ana.vector_stores.delete(store)


class Broken:
    """Cannot put a job into the queue."""

    def soon(self, store: str) -> None:
        raise StorageError("The disk is full.", hint="Free some space.")


def test_a_file_that_was_attached_and_not_queued_is_indexed_by_the_next_sweep(ana: openai.OpenAI, host: Host) -> None:
    file, store = upload(ana, "ferry.md", FERRY), ana.vector_stores.create().id
    host.__dict__["indexing"], at_once = Broken(), host.indexing
    try:
        with pytest.raises(openai.APIStatusError):
            ana.vector_stores.files.create(store, file_id=file)
    finally:
        host.__dict__["indexing"] = at_once
    sweep(host)
    assert ana.vector_stores.files.retrieve(file, vector_store_id=store).status == "completed"
    ana.vector_stores.delete(store)


def test_a_round_of_indexing_reads_so_many_bytes(
    ana: openai.OpenAI, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = [upload(ana, f"{n}.md", text) for n, text in enumerate((FERRY, MASTER, MARKET))]
    told: list[tuple[int, int]] = []
    monkeypatch.setattr("doceo.app.jobs.indexing._BYTES_AT_ONCE", len(FERRY) + 1)
    monkeypatch.setattr(host.indexing._indexing, "_tell", lambda done, total: told.append((done, total)))
    store = ana.vector_stores.create(file_ids=files).id
    assert told[:2] == [(2, 3), (3, 3)]
    assert ana.vector_stores.retrieve(store).file_counts.completed == 3
    ana.vector_stores.delete(store)


def test_chunks_of_a_fixed_size_are_refused(ana: openai.OpenAI) -> None:
    file = upload(ana, "a.md", FERRY)
    fixed = {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}}
    with pytest.raises(openai.BadRequestError) as error:
        ana.vector_stores.create(file_ids=[file], chunking_strategy=fixed)  # type: ignore[arg-type]
    assert str(error.value.param).startswith("chunking_strategy")
    store = ana.vector_stores.create(chunking_strategy={"type": "auto"})
    ana.vector_stores.delete(store.id)


def test_stores_are_their_owners(ana: openai.OpenAI, ben: openai.OpenAI, town: str, address: str, host: Host) -> None:
    (file, *_) = ana.vector_stores.files.list(town)
    calls = (
        lambda: ben.vector_stores.retrieve(town),
        lambda: ben.vector_stores.update(town, name="mine"),
        lambda: ben.vector_stores.delete(town),
        lambda: ben.vector_stores.search(town, query="ferry"),
        lambda: ben.vector_stores.files.list(town),
        lambda: ben.vector_stores.files.retrieve(file.id, vector_store_id=town),
        lambda: ben.vector_stores.files.content(file.id, vector_store_id=town),
        lambda: ben.vector_stores.files.delete(file.id, vector_store_id=town),
        lambda: ben.vector_stores.files.create(town, file_id=upload(ben, "poison.md", MARKET)),
    )
    for call in calls:
        with pytest.raises(openai.NotFoundError):
            call()
    assert ben.vector_stores.list().data == []
    mine = ben.vector_stores.create().id
    with pytest.raises(openai.NotFoundError):  # another's file is not read into one's own store either
        ben.vector_stores.files.create(mine, file_id=file.id)
    reader = client_of(address, key_of(host, "cy", "chat", collections=(town,)))
    assert names(reader, town, "fish market")[0] == "market.md"
    writer = client_of(address, key_of(host, "cy", collections=(town,)))
    with pytest.raises(openai.PermissionDeniedError):
        writer.vector_stores.delete(town)
    with pytest.raises(openai.PermissionDeniedError):
        reader.vector_stores.create()


def test_collections_of_the_command_line_can_be_read(address: str, host: Host, ana: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        ana.vector_stores.search("library", query="ferry")
    reader = client_of(address, key_of(host, "dora", "chat", "ingest", collections=("library",)))
    (store,) = reader.vector_stores.list()
    assert (store.id, store.name, store.file_counts.completed) == ("library", "library", 6)
    files = list(reader.vector_stores.files.list("library", limit=4))
    assert len({file.id for file in files}) == 6
    hit = next(iter(reader.vector_stores.search("library", query="When was the Bryne ferry opened?")))
    assert hit.filename == "ferry.md"
    assert hit.source == "library/ferry.md"  # type: ignore[attr-defined]
    named = {"type": "eq", "key": "source", "value": hit.source}  # type: ignore[attr-defined]
    assert set(names(reader, "library", "Bryne", filters=named)) == {"ferry.md"}
    file = reader.vector_stores.files.retrieve(hit.file_id, vector_store_id="library")
    (content,) = reader.vector_stores.files.content(file.id, vector_store_id="library")
    assert "1902" in (content.text or "")
    with pytest.raises(openai.PermissionDeniedError, match="doceo index"):
        reader.vector_stores.delete("library")
    for name in ("nothing", "a+b", ".hidden", "../library", "library/../library"):
        with pytest.raises(openai.NotFoundError):
            reader.vector_stores.search(name, query="ferry")


def test_pages_of_stores_go_on_with_collections(address: str, keys: dict[str, str]) -> None:
    root = client_of(address, keys["root"])
    made = [root.vector_stores.create(name=str(n)).id for n in range(3)]
    assert [store.id for store in root.vector_stores.list(limit=2)] == [*made[::-1], "library"]
    assert [store.id for store in root.vector_stores.list(order="asc", limit=3)] == [*made, "library"]
    assert [store.id for store in root.vector_stores.list(before=made[0])] == [made[2], made[1]]
    for store in root.vector_stores.list(limit=1):
        if store.id.startswith("vs_"):
            root.vector_stores.delete(store.id)
    assert [store.id for store in root.vector_stores.list()] == ["library"]


@pytest.mark.slow
def test_a_store_that_expires_forgets_its_files(
    ana: openai.OpenAI, host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ana.vector_stores.create(
        file_ids=[upload(ana, "a.md", FERRY)], expires_after={"anchor": "last_active_at", "days": 1}
    )
    clock = host.store.clock
    monkeypatch.setattr(host.store.vector_stores, "_clock", lambda: clock() + DAY + 1)
    assert ana.vector_stores.retrieve(store.id).status == "expired"
    with pytest.raises(openai.BadRequestError, match="expired"):
        ana.vector_stores.search(store.id, query="ferry")
    sweep(host)
    assert ana.vector_stores.retrieve(store.id).file_counts.total == 0
    assert b"ferry" not in b"".join(
        path.read_bytes() for path in (host.home / ".collections" / store.id).rglob("*") if path.is_file()
    )
    ana.vector_stores.delete(store.id)


@pytest.mark.slow
def test_a_damaged_index_is_made_again(ana: openai.OpenAI, host: Host) -> None:
    ferry, master = upload(ana, "ferry.md", FERRY), upload(ana, "master.md", MASTER)
    store = ana.vector_stores.create(file_ids=[ferry, master]).id
    (host.home / ".collections" / store / "current").write_text("nonsense")
    ana.files.delete(ferry)
    assert ana.vector_stores.retrieve(store).file_counts.total == 1
    assert names(ana, store, "Bryne") == ["master.md"]
    ana.vector_stores.delete(store)


@pytest.mark.slow
def test_a_worker_indexes(tmp_path: Path) -> None:
    host = host_in(tmp_path / "runs")
    with serving(create_app(host)) as address, working(tmp_path, host.settings.database_url):
        client = client_of(address)
        store = client.vector_stores.create().id
        ferry = client.vector_stores.files.upload_and_poll(
            vector_store_id=store, file=("ferry.md", FERRY), poll_interval_ms=100
        )
        assert ferry.status == "completed"
        assert names(client, store, "ferry") == ["ferry.md"]
        asked: Any = [{"role": "user", "content": "When was the ferry opened?"}]
        assert client.chat.completions.create(model=f"quote+{store}", messages=asked).choices[0].message.content
        client.files.delete(ferry.id)
        until(lambda: not names(client, store, "ferry"))
        folder = host.home / ".collections" / store
        until(lambda: not any(b"1902" in path.read_bytes() for path in folder.rglob("*") if path.is_file()))
        client.vector_stores.delete(store)
        until(lambda: not folder.exists())
        assert not host.store.vector_stores.unfinished()


def test_the_asynchronous_client(address: str, keys: dict[str, str]) -> None:
    async def use() -> None:
        client = openai.AsyncOpenAI(
            base_url=f"{address}/v1", api_key=keys["ana"], _strict_response_validation=True, max_retries=0
        )
        stores, file = client.vector_stores, await client.files.create(file=("a.md", FERRY), purpose="assistants")
        store = await stores.create(name="a")
        added = await stores.files.create(store.id, file_id=file.id)
        assert (await stores.files.poll(file.id, vector_store_id=store.id)).status == "completed"
        assert [one.id async for one in stores.files.list(store.id)] == [added.id]
        assert [hit.filename async for hit in stores.search(store.id, query="ferry")] == ["a.md"]
        assert [part.type async for part in stores.files.content(file.id, vector_store_id=store.id)] == ["text"]
        batch = await stores.file_batches.create_and_poll(store.id, file_ids=[file.id])
        assert batch.file_counts.completed == 1
        assert store.id in [one.id async for one in stores.list()]
        assert (await stores.update(store.id, name="b")).name == "b"
        assert (await stores.files.delete(file.id, vector_store_id=store.id)).deleted
        assert (await stores.delete(store.id)).deleted
        await client.close()

    asyncio.run(use())


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/vector_stores", '{"name": "a\\ud800"}'),
        ("/vector_stores", '{"metadata": {"k\\ud800": "v"}}'),
        ("/vector_stores", '{"file_ids": ["\\ud800"]}'),
        ("/vector_stores/TOWN/files", '{"file_id": "\\ud800"}'),
        ("/vector_stores/TOWN/search", '{"query": "\\ud800"}'),
        ("/vector_stores", "[" * 100_000),
        (
            "/vector_stores/TOWN/search",
            '{"query": "x", "ranking_options": {"hybrid_search": {"embedding_weight": 1e999, "text_weight": 1}}}',
        ),
    ],
)
def test_what_is_no_text_is_refused(address: str, keys: dict[str, str], town: str, path: str, body: str) -> None:
    headers = {"Authorization": f"Bearer {keys['ana']}", "Content-Type": "application/json"}
    reply = httpx.post(f"{address}/v1{path.replace('TOWN', town)}", content=body, headers=headers)
    assert reply.status_code == 400, reply.text
