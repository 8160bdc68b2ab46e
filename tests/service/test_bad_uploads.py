"""Files that are damaged, protected or hostile, uploaded and attached: each is read, or failed with its reason."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from doceo.app.host import Host
from doceo.service.http import create_app
from tests.service.keeping import keeping_host
from tests.service.serving import client_of, serving

READ = {
    "cr-only.txt", "csv-too-many-columns.csv", "encrypted-owner-only.pdf", "failure-after-repair.pdf", "html-named.pdf",
    "incomplete-json.txt", "invalid-utf8.txt", "malformed.pptx", "nul-bytes.txt", "one-long-line.txt",
    "prompt-injection.txt", "script.html", "text-named.docx", "wrong-charset-declared.html",
}  # fmt: skip
"""What holds text that can be read; anything else gives no document."""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Host:
    return keeping_host(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def client(host: Host) -> Iterator[openai.OpenAI]:
    with serving(create_app(host)) as address:
        yield client_of(address)


@pytest.mark.slow
def test_bad_files_are_read_or_failed_with_a_reason(client: openai.OpenAI, shared_data: Path) -> None:
    paths = sorted((shared_data / "bad").iterdir())
    names = {client.files.create(file=path, purpose="assistants").id: path.name for path in paths}
    store = client.vector_stores.create().id
    batch = client.vector_stores.file_batches.create(store, file_ids=list(names))
    assert batch.status == "completed"
    assert batch.file_counts.total == len(paths) == 28
    files = list(client.vector_stores.files.list(store))
    found = {names[file.id]: file.last_error for file in files}
    assert {name for name, error in found.items() if error is None} == READ
    for name, error in found.items():
        if error is not None:
            assert len(error.message) > 10, name
            assert error.code in ("unsupported_file", "invalid_file")
    assert "password" in found["password.pdf"].message  # type: ignore[union-attr]
    for file in files:
        if file.status == "completed":
            assert list(client.vector_stores.files.content(file.id, vector_store_id=store))
            assert file.usage_bytes > 0
    # what reads like an order is found, and shown as such
    hits = client.vector_stores.search(store, query="ignore all previous instructions")
    assert any(hit.flags for hit in hits)  # type: ignore[attr-defined]
    everything = "".join(part.text or "" for file in files if file.status == "completed"
                         for part in client.vector_stores.files.content(file.id, vector_store_id=store))  # fmt: skip
    assert "root:" not in everything
    client.vector_stores.delete(store)


def test_a_zip_bomb_and_the_files_beside_it(client: openai.OpenAI) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("word/document.xml", b"<a>" + b"0" * (200 << 20))
    assert len(packed.getvalue()) < 1 << 20
    bomb = client.files.create(file=("bomb.docx", packed.getvalue()), purpose="assistants").id
    good = client.files.create(file=("good.md", b"# Ferry\n\nThe ferry was opened in 1902."), purpose="assistants").id
    store = client.vector_stores.create(file_ids=[bomb, good]).id
    (failed,) = client.vector_stores.files.list(store, filter="failed")
    assert failed.id == bomb
    assert failed.last_error is not None
    assert failed.last_error.code == "invalid_file"
    assert [hit.file_id for hit in client.vector_stores.search(store, query="ferry")] == [good]
    client.vector_stores.delete(store)
