"""`/v1/files` as the stock client and others use it; and the bytes on the disk."""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import resource
import signal
import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pytest
from starlette.requests import Request

from doceo.app.host import Host
from doceo.app.store.files import StoredFile
from doceo.app.store.store import open_store
from doceo.app.uploads import Uploads
from doceo.core.errors import NotFound, StorageError
from doceo.service.http import create_app
from doceo.service.multipart import receive
from tests.service.keeping import keeping_host, key_of
from tests.service.serving import client_of, serving


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    return keeping_host(tmp_path_factory.mktemp("home"), service={"max_upload_mb": 1, "max_rows": 3})


@pytest.fixture(scope="module")
def keys(host: Host) -> dict[str, str]:
    return {owner: key_of(host, owner) for owner in ("ana", "ben")}


@pytest.fixture(scope="module")
def address(host: Host, keys: dict[str, str]) -> Iterator[str]:
    with serving(create_app(host)) as found:
        yield found


@pytest.fixture
def ana(address: str, keys: dict[str, str]) -> openai.OpenAI:
    return client_of(address, keys["ana"])


def on_disk(host: Host) -> set[str]:
    return set(os.listdir(host.files)) if host.files.is_dir() else set()


def test_a_file_from_beginning_to_end(ana: openai.OpenAI, host: Host) -> None:
    content = bytes(range(256)) * 300
    file = ana.files.create(file=("a b.bin", content), purpose="user_data")
    assert (file.bytes, file.filename, file.purpose, file.status) == (len(content), "a b.bin", "user_data", "processed")
    assert file.sha256 == hashlib.sha256(content).hexdigest()  # type: ignore[attr-defined]
    assert ana.files.retrieve(file.id) == file
    assert ana.files.wait_for_processing(file.id) == file
    reply = ana.files.content(file.id)
    assert reply.read() == content
    headers = reply.response.headers
    assert headers["content-type"] == "application/octet-stream"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["content-disposition"].startswith("attachment;")
    assert on_disk(host) == {file.id}
    gone = ana.files.delete(file.id)
    assert (gone.id, gone.deleted) == (file.id, True)
    assert on_disk(host) == set()
    for lost in (ana.files.retrieve, ana.files.content, ana.files.delete):
        with pytest.raises(openai.NotFoundError, match="There is no file"):
            lost(file.id)


def test_files_are_their_owners(ana: openai.OpenAI, address: str, keys: dict[str, str]) -> None:
    ben = client_of(address, keys["ben"])
    file = ana.files.create(file=b"secret", purpose="user_data")
    for lost in (ben.files.retrieve, ben.files.content, ben.files.delete):
        with pytest.raises(openai.NotFoundError) as foreign:
            lost(file.id)
        with pytest.raises(openai.NotFoundError) as missing:
            lost("file-none")
        assert foreign.value.message.replace(file.id, "file-none") == missing.value.message
    assert ben.files.list().data == []
    ana.files.delete(file.id)


def test_lists_go_on_where_the_last_page_ended_even_while_files_are_deleted(ana: openai.OpenAI) -> None:
    made = [ana.files.create(file=(f"{n}.txt", b"x"), purpose="user_data").id for n in range(5)]
    other = ana.files.create(file=("b.txt", b"x"), purpose="assistants").id
    assert [file.id for file in ana.files.list(limit=2, purpose="user_data", order="asc")] == made
    page = ana.files.list(limit=4)
    assert page.has_more
    assert [file.id for file in page.data] == [other, *made[:1:-1]][:4]
    for file in ana.files.list(limit=2):
        ana.files.delete(file.id)
    assert ana.files.list().data == []


def kept(host: Host) -> list[Path]:
    """Return all files of a home but those of the database, whose journal comes and goes."""
    return sorted(path for path in host.home.rglob("*") if path != host.files and "kept.sqlite" not in path.name)


@pytest.mark.parametrize(
    "name", ["../../../../etc/passwd", "..\\..\\x.txt", "/etc/passwd", "a\u202e.txt", "ü\0.txt", "n" * 3000, "..", "."]
)
def test_a_name_is_never_a_path(ana: openai.OpenAI, host: Host, name: str) -> None:
    before = kept(host)
    file = ana.files.create(file=(name, b"x"), purpose="user_data")
    assert on_disk(host) == {file.id}
    assert ana.files.content(file.id).read() == b"x"
    ana.files.delete(file.id)
    assert kept(host) == before


def test_what_is_wrong_is_named(ana: openai.OpenAI, host: Host) -> None:
    with pytest.raises(openai.BadRequestError) as wrong:
        ana.files.create(file=b"x", purpose="else")  # type: ignore[arg-type]
    assert wrong.value.param == "purpose"
    for after in ({"anchor": "created_at", "seconds": 60}, {"anchor": "now", "seconds": 3600}):
        with pytest.raises(openai.BadRequestError, match="expires_after"):
            ana.files.create(file=b"x", purpose="user_data", expires_after=after)  # type: ignore[arg-type]
    with pytest.raises(openai.APIStatusError, match="1 MB") as large:
        ana.files.create(file=io.BytesIO(b"x" * (1 << 20) + b"x"), purpose="user_data")
    assert large.value.status_code == 413
    with pytest.raises(openai.BadRequestError, match="3 lines"):
        ana.files.create(file=("a.jsonl", b"{}\n" * 4), purpose="fine-tune")
    file = ana.files.create(
        file=("a.jsonl", b"{}\n" * 3), purpose="fine-tune", expires_after={"anchor": "created_at", "seconds": 3600}
    )
    assert file.expires_at == file.created_at + 3600
    ana.files.delete(file.id)
    assert on_disk(host) == set()
    long = {"anchor": "created_at", "seconds": "9" * 5000}
    with pytest.raises(openai.BadRequestError, match="expires_after"):
        ana.files.create(file=b"x", purpose="user_data", expires_after=long)  # type: ignore[arg-type]


BOUNDARY = "x"
PURPOSE = b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n'
FILE = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\nwords\r\n'
END = b"--x--\r\n"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (FILE + PURPOSE + END, 200),
        (PURPOSE + END, 400),
        (FILE + END, 400),
        (FILE + FILE + PURPOSE + END, 400),
        (FILE.replace(b'"file"', b'"other"') + PURPOSE + END, 400),
        (PURPOSE + FILE, 400),
        (PURPOSE + FILE[:-9], 400),
        (b"nothing of a form", 400),
        (b"", 400),
        (PURPOSE * 40 + FILE + END, 400),
        (PURPOSE.replace(b"user_data", b"x" * 70_000) + FILE + END, 413),
    ],
)
def test_forms_of_other_clients(address: str, keys: dict[str, str], host: Host, body: bytes, status: int) -> None:
    headers = {"Authorization": f"Bearer {keys['ana']}", "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    reply = httpx.post(f"{address}/v1/files", content=body, headers=headers)
    assert reply.status_code == status, reply.text
    if status == 200:
        httpx.delete(f"{address}/v1/files/{reply.json()['id']}", headers=headers)
    else:
        assert set(reply.json()["error"]) == {"message", "type", "param", "code"}
    assert on_disk(host) == set()


def test_what_is_no_form_is_refused(address: str, keys: dict[str, str]) -> None:
    headers = {"Authorization": f"Bearer {keys['ana']}"}
    assert httpx.post(f"{address}/v1/files", json={"purpose": "user_data"}, headers=headers).status_code == 400
    long = {**headers, "Content-Type": f"multipart/form-data; boundary={'x' * 300}"}
    assert httpx.post(f"{address}/v1/files", content=b"", headers=long).status_code == 400


async def received(body: Iterator[bytes], uploads: Uploads) -> str:
    async def next_block() -> dict[str, object]:
        block = next(body, b"")
        return {"type": "http.request", "body": block, "more_body": bool(block)}

    headers = [(b"content-type", b"multipart/form-data; boundary=x")]
    request = Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, next_block)  # type: ignore[arg-type]
    with uploads.receiving() as incoming:
        await receive(request, incoming, 1 << 30)
        return uploads.keep(incoming, "ana", "a", "user_data").sha256


def test_a_large_file_is_never_whole_in_memory(tmp_path: Path) -> None:
    block, count = os.urandom(1 << 18), 256
    uploads = Uploads(open_store(f"sqlite:///{tmp_path}/a").files, tmp_path / "files")

    def body() -> Iterator[bytes]:
        yield FILE[:-7]
        for _ in range(count):
            yield block
        yield b"\r\n" + PURPOSE + END

    tracemalloc.start()
    try:
        found = asyncio.run(received(body(), uploads))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert found == hashlib.sha256(block * count).hexdigest()
    assert peak < 8 << 20, f"{peak / 2**20:.1f} MB for a file of {len(block) * count >> 20} MB"


def test_a_full_disk_leaves_nothing(tmp_path: Path) -> None:
    uploads = Uploads(open_store(f"sqlite:///{tmp_path}/a").files, tmp_path / "files")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        with pytest.raises(StorageError, match="full"), uploads.receiving() as incoming:
            for _ in range(5):
                incoming.write(b"x" * (1 << 19))
            uploads.keep(incoming, "ana", "a", "user_data")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list((tmp_path / "files").iterdir()) == []


def test_files_of_jobs_and_files_that_expire(tmp_path: Path) -> None:
    now = [1000.0]
    store = open_store(f"sqlite:///{tmp_path}/a", clock=lambda: now[0])
    uploads = Uploads(store.files, tmp_path / "files")
    (tmp_path / "results.csv").write_text("step,loss\n")
    kept = uploads.put("ana", tmp_path / "results.csv", "results.csv", "fine-tune-results")
    assert uploads.path(kept).read_text() == "step,loss\n"
    with uploads.receiving() as incoming:
        incoming.write(b"x")
        short = uploads.keep(incoming, "ana", "b", "user_data", seconds=3600)
    now[0] += 3599
    assert store.files.get("ana", short.id) == short
    now[0] += 1
    with pytest.raises(NotFound):
        store.files.get("ana", short.id)
    begun = tmp_path / "files" / ".begun-x"
    begun.write_bytes(b"x")
    os.utime(begun, (1, 1))
    uploads.sweep()
    assert [path.name for path in (tmp_path / "files").iterdir()] == [kept.id]
    uploads.path(kept).unlink()
    with pytest.raises(NotFound):
        uploads.path(kept)


def taken_in(uploads: Uploads) -> StoredFile:
    with uploads.receiving() as incoming:
        incoming.write(b"x")
        return uploads.keep(incoming, "ana", "a", "user_data")


def test_an_upload_that_is_killed_leaves_nothing_for_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, store = tmp_path / "files", open_store(f"sqlite:///{tmp_path}/a")
    uploads = Uploads(store.files, folder)
    if not (child := os.fork()):
        monkeypatch.setattr(store.files, "add", lambda file: os.kill(os.getpid(), signal.SIGKILL))
        taken_in(uploads)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    (left,) = folder.iterdir()
    # of one whose row is there, the last step is made up for: by who reads it, and by who sweeps
    read, swept = taken_in(uploads), taken_in(uploads)
    for file in (read, swept):
        (folder / file.id).rename(folder / f".begun-{file.id}")
    assert uploads.path(read).read_bytes() == b"x"
    uploads.sweep()
    assert left.exists()  # it could still be on its way
    for path in folder.iterdir():
        os.utime(path, (1, 1))
    uploads.sweep()
    assert set(os.listdir(folder)) == {read.id, swept.id}
    (folder / read.id).rename(folder / f".begun-{read.id}")
    for file in (read, swept):
        uploads.delete(file)
    assert os.listdir(folder) == []


def test_the_asynchronous_client(address: str, keys: dict[str, str]) -> None:
    async def use() -> None:
        client = openai.AsyncOpenAI(
            base_url=f"{address}/v1", api_key=keys["ana"], _strict_response_validation=True, max_retries=0
        )
        file = await client.files.create(file=("a.txt", b"words"), purpose="assistants")
        assert [one.id async for one in client.files.list()] == [file.id]
        assert (await client.files.content(file.id)).text == "words"
        assert (await client.files.retrieve(file.id)).bytes == 5
        assert (await client.files.delete(file.id)).deleted
        await client.close()

    asyncio.run(use())
