"""`/v1/conversations` as the stock client uses it, and `/v1/profiles/me`."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from doceo.app.host import Host
from doceo.app.store.said import Said, exchange
from doceo.core.errors import StorageError
from doceo.core.records import Answer, Citation, Message, Span
from doceo.service.http import create_app
from tests.service.keeping import keeping_host, key_of
from tests.service.serving import client_of, host_in, serving
from tests.service.working import until


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    return keeping_host(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def keys(host: Host) -> dict[str, str]:
    return {owner: key_of(host, owner, "chat") for owner in ("ana", "ben")}


@pytest.fixture(scope="module")
def address(host: Host, keys: dict[str, str]) -> Iterator[str]:
    with serving(create_app(host)) as found:
        yield found


@pytest.fixture
def ana(address: str, keys: dict[str, str]) -> openai.OpenAI:
    return client_of(address, keys["ana"])


def texts(page: Any) -> list[str]:
    return [item.content[0].text for item in page]


def test_a_conversation_from_beginning_to_end(ana: openai.OpenAI) -> None:
    begun = ana.conversations.create(
        items=[{"type": "message", "role": "user", "content": "When was the ferry opened?"}],
        metadata={"topic": "ferry"},
    )
    assert begun.metadata == {"topic": "ferry"}
    assert ana.conversations.retrieve(begun.id) == begun
    added = ana.conversations.items.create(
        begun.id,
        items=[
            {"role": "assistant", "content": "In 1902."},
            {
                "role": "developer",
                "content": [{"type": "input_text", "text": "Be "}, {"type": "input_text", "text": "brief."}],
            },
        ],
    )
    assert [item.role for item in added.data] == ["assistant", "system"]  # type: ignore[union-attr]
    kept = ana.conversations.items.list(begun.id, order="asc")
    assert texts(kept) == ["When was the ferry opened?", "In 1902.", "Be brief."]
    assert texts(ana.conversations.items.list(begun.id, limit=2)) == texts(kept)[::-1]
    assert [item.content[0].type for item in kept] == ["input_text", "output_text", "input_text"]  # type: ignore[union-attr]
    one = ana.conversations.items.retrieve(added.first_id, conversation_id=begun.id)
    assert one == added.data[0]
    after = ana.conversations.items.delete(added.last_id, conversation_id=begun.id)
    assert after.id == begun.id
    assert texts(ana.conversations.items.list(begun.id, order="asc")) == ["When was the ferry opened?", "In 1902."]
    with pytest.raises(openai.NotFoundError):
        ana.conversations.items.retrieve(added.last_id, conversation_id=begun.id)
    with pytest.raises(openai.NotFoundError):
        ana.conversations.items.delete(added.last_id, conversation_id=begun.id)
    assert ana.conversations.update(begun.id, metadata={"topic": "sea"}).metadata == {"topic": "sea"}
    assert ana.conversations.update(begun.id, metadata=None).metadata == {}
    assert ana.conversations.delete(begun.id).deleted
    for lost in (ana.conversations.retrieve, ana.conversations.delete, ana.conversations.items.list):
        with pytest.raises(openai.NotFoundError):
            lost(begun.id)


def test_what_is_no_text_is_refused(ana: openai.OpenAI) -> None:
    picture = {"role": "user", "content": [{"type": "input_image", "image_url": "http://x/y.png", "detail": "low"}]}
    call = {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"}
    for item, place in ((picture, "items[0].content[0]"), (call, "items[0]")):
        with pytest.raises(openai.BadRequestError) as error:
            ana.conversations.create(items=[item])  # type: ignore[list-item]
        assert str(error.value.param).startswith(place)
    with pytest.raises(openai.BadRequestError) as many:
        ana.conversations.create(items=[{"role": "user", "content": "x"}] * 21)
    assert many.value.param == "items"
    with pytest.raises(openai.BadRequestError):
        ana.conversations.create(metadata={"k" * 65: "v"})
    with pytest.raises(openai.BadRequestError):
        ana.conversations.create(metadata={str(n): "v" for n in range(17)})


def test_an_answer_keeps_its_citations(ana: openai.OpenAI, host: Host) -> None:
    begun = ana.conversations.create()
    span = Span(document_id="d_1", start=0, end=4)
    cited = Citation(n=1, document_id="d_1", source="a.md", title="A", span=span, quote="1902", verified=True)
    answer = Answer(text="In 1902 [1].", citations=(cited,))
    # of a vector store, and of a collection of the command line, whose documents have no other id
    for files, expected in (({"a.md": "file-1"}, "file-1"), ({}, "d_1")):
        host.store.conversations.add("ana", begun.id, exchange("When?", answer, files))
        item = next(iter(ana.conversations.items.list(begun.id)))
        (part,) = item.content  # type: ignore[union-attr]
        (note,) = part.annotations  # type: ignore[union-attr]
        assert (note.type, note.file_id, note.filename, note.index) == ("file_citation", expected, "a.md", 8)  # type: ignore[union-attr]
        assert item.citations[0]["quote"] == "1902"  # type: ignore[union-attr]
        assert item.citations[0].get("file_id") == files.get("a.md")  # type: ignore[union-attr]
    ana.conversations.delete(begun.id)


def test_no_word_of_a_deleted_item_stays(ana: openai.OpenAI, host: Host) -> None:
    begun = ana.conversations.create(items=[{"role": "user", "content": "My secret is xylophone"}])
    host.store.conversations.summaries("ana", begun.id)["hash"] = "They spoke of a xylophone"
    other = ana.conversations.items.create(begun.id, items=[{"role": "user", "content": "Ferries?"}]).last_id
    first = ana.conversations.items.list(begun.id, order="asc").data[0].id
    ana.conversations.items.delete(str(first), conversation_id=begun.id)
    assert host.store.conversations.get("ana", begun.id).title == "Ferries?"
    host.store.database.scrub()
    assert b"xylophone" not in (host.home / "kept.sqlite").read_bytes()
    assert [item.id for item in ana.conversations.items.list(begun.id)] == [other]
    ana.conversations.delete(begun.id)


def left_in(host: Host) -> list[int]:
    """Return how often something was deleted since the file was scrubbed, and its pages without content."""
    with closing(sqlite3.connect(host.home / "kept.sqlite")) as file:
        return [file.execute(f"PRAGMA {name}").fetchone()[0] for name in ("user_version", "freelist_count")]


def test_the_file_is_scrubbed_when_a_service_begins_and_when_it_ends(tmp_path: Path) -> None:
    host = host_in(tmp_path / "runs")
    made = [host.store.conversations.start("local", "x" * 20_000).id for _ in range(2)]
    host.store.conversations.delete("local", made[0])
    assert left_in(host)[0] == 1
    with serving(create_app(host)) as address:
        until(lambda: left_in(host)[0] == 0)
        client_of(address).conversations.delete(made[1])
        assert left_in(host)[0] == 1
    assert left_in(host) == [0, 0]


def test_what_is_kept_is_what_is_answered(address: str, keys: dict[str, str], ana: openai.OpenAI) -> None:
    begun, body = ana.conversations.create(), b'{"items": [{"role": "user", "content": "a\\ud800"}]}'
    headers = {"Authorization": f"Bearer {keys['ana']}", "Content-Type": "application/json"}
    reply = httpx.post(f"{address}/v1/conversations/{begun.id}/items", content=body, headers=headers)
    assert reply.status_code == 200, reply.text
    said = [item["content"][0]["text"] for item in reply.json()["data"]]
    assert said == texts(ana.conversations.items.list(begun.id)) == ["a\ufffd"]
    ana.conversations.delete(begun.id)


def test_lists_go_on_while_what_they_list_is_deleted(address: str, keys: dict[str, str], ana: openai.OpenAI) -> None:
    begun = [ana.conversations.create(items=[{"role": "user", "content": str(n)}] * 15).id for n in range(2)]
    ana.conversations.items.create(begun[1], items=[{"role": "user", "content": "last"}] * 15)
    seen = []
    for item in ana.conversations.items.list(begun[1]):
        ana.conversations.items.delete(str(item.id), conversation_id=begun[1])
        seen.append(item.id)
    assert len(set(seen)) == 30
    assert ana.conversations.items.list(begun[1]).data == []
    ask = httpx.Client(base_url=f"{address}/v1", headers={"Authorization": f"Bearer {keys['ana']}"})
    first = ask.get("/conversations", params={"limit": 1}).json()
    assert [one["id"] for one in first["data"]] == begun[1:]
    ana.conversations.delete(begun[1])
    assert [one["id"] for one in ask.get("/conversations", params={"after": begun[1]}).json()["data"]] == begun[:1]
    ana.conversations.delete(begun[0])


def test_conversations_are_their_owners(ana: openai.OpenAI, address: str, keys: dict[str, str]) -> None:
    ben = client_of(address, keys["ben"])
    begun = ana.conversations.create(items=[{"role": "user", "content": "x"}])
    item = ana.conversations.items.list(begun.id).data[0].id
    calls = (
        lambda: ben.conversations.retrieve(begun.id),
        lambda: ben.conversations.update(begun.id, metadata={}),
        lambda: ben.conversations.delete(begun.id),
        lambda: ben.conversations.items.list(begun.id),
        lambda: ben.conversations.items.create(begun.id, items=[{"role": "user", "content": "y"}]),
        lambda: ben.conversations.items.retrieve(str(item), conversation_id=begun.id),
        lambda: ben.conversations.items.delete(str(item), conversation_id=begun.id),
    )
    for call in calls:
        with pytest.raises(openai.NotFoundError):
            call()
    assert texts(ana.conversations.items.list(begun.id)) == ["x"]
    ana.conversations.delete(begun.id)


def test_all_conversations_of_an_owner_can_be_listed(address: str, keys: dict[str, str], ana: openai.OpenAI) -> None:
    made = [ana.conversations.create().id for _ in range(3)]
    ask = httpx.Client(base_url=f"{address}/v1", headers={"Authorization": f"Bearer {keys['ana']}"})
    first = ask.get("/conversations", params={"limit": 2}).json()
    rest = ask.get("/conversations", params={"after": first["last_id"]}).json()
    assert {one["id"] for one in first["data"] + rest["data"]} == set(made)
    assert (first["has_more"], rest["has_more"]) == (True, False)
    for one in made:
        ana.conversations.delete(one)


def test_a_profile(address: str, keys: dict[str, str], host: Host) -> None:
    ana, ben = (
        httpx.Client(base_url=f"{address}/v1/profiles", headers={"Authorization": f"Bearer {keys[owner]}"})
        for owner in ("ana", "ben")
    )
    assert ana.get("/me").json() == {"id": "me", "object": "profile", "enabled": False, "entries": []}
    assert ana.patch("/me", json={"enabled": True}).json()["enabled"]
    entry = ana.post("/me/entries", json={"kind": "fact", "text": "I work at the harbour.", "days": 2}).json()
    assert entry["expires"] == entry["created"] + 2 * 24 * 3600
    assert (
        ana.patch(f"/me/entries/{entry['id']}", json={"text": "I work on the ferry."}).json()["text"].endswith("ferry.")
    )
    assert ben.patch(f"/me/entries/{entry['id']}", json={"text": "x"}).status_code == 404
    assert ben.delete(f"/me/entries/{entry['id']}").status_code == 404
    assert ben.get("/me").json()["entries"] == []
    private = ana.post("/me/entries", json={"text": "My password is hunter2."})
    assert (private.status_code, "passwords" in private.json()["error"]["message"]) == (400, True)
    assert ana.post("/me/entries", json={"text": ""}).status_code == 400
    assert ana.post("/me/entries", json={"kind": "mood", "text": "x"}).json()["error"]["param"] == "kind"
    exported = ana.get("/me/export")
    assert exported.headers["content-disposition"].startswith("attachment")
    assert [one["text"] for one in exported.json()["entries"]] == ["I work on the ferry."]
    assert ana.delete(f"/me/entries/{entry['id']}").json()["deleted"]
    ana.post("/me/entries", json={"text": "I own a boat."})
    assert ana.delete("/me").json()["entries"] == 1
    assert ana.get("/me").json() == {"id": "me", "object": "profile", "enabled": False, "entries": []}


def test_the_asynchronous_client(address: str, keys: dict[str, str]) -> None:
    async def use() -> None:
        client = openai.AsyncOpenAI(
            base_url=f"{address}/v1", api_key=keys["ana"], _strict_response_validation=True, max_retries=0
        )
        begun = await client.conversations.create(items=[{"role": "user", "content": "x"}])
        await client.conversations.items.create(begun.id, items=[{"role": "assistant", "content": "y"}])
        items = [item async for item in client.conversations.items.list(begun.id, limit=1)]
        assert texts(items) == ["y", "x"]
        assert (await client.conversations.update(begun.id, metadata={"a": "b"})).metadata == {"a": "b"}
        assert (await client.conversations.delete(begun.id)).deleted
        await client.close()

    asyncio.run(use())


def test_messages_of_the_command_line_have_the_same_form(ana: openai.OpenAI, host: Host) -> None:
    begun = host.store.conversations.start("ana", "runs/a")
    host.store.conversations.add("ana", begun.id, [Said(Message(role="user", content="a\0b"))])
    assert texts(ana.conversations.items.list(begun.id)) == ["a\ufffdb"]
    assert ana.conversations.retrieve(begun.id).about == "runs/a"  # type: ignore[attr-defined]


def test_a_conversation_is_begun_with_its_messages_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = host_in(tmp_path)
    kept, said = host.store.conversations, [Said(Message(role="user", content="When was it opened?"))]
    begun = kept.start("ana", said=said)
    assert (begun.title, begun.turns) == ("When was it opened?", 1)
    assert begun == kept.get("ana", begun.id)

    def broken(*words: object) -> None:
        raise StorageError("The disk is full.", hint="Free some space.")

    monkeypatch.setattr(kept, "_row", broken)
    with pytest.raises(StorageError):
        kept.start("ana", said=said)
    assert [one.id for one in kept.all("ana")] == [begun.id]
