"""How much an owner may keep."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pytest

from doceo.app.host import Host
from doceo.service.bodies import MB
from doceo.service.http import create_app
from doceo.service.quota import Quota
from doceo.service.refusals import Refusal
from tests.service.keeping import key_of
from tests.service.serving import client_of, host_in, serving


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return host_in(tmp_path, service={"max_owner_mb": 2})


@pytest.fixture
def address(host: Host) -> Iterator[str]:
    host.store.keys.create("nobody", "", ())
    with serving(create_app(host)) as found:
        yield found


def test_an_owner_keeps_so_much_and_others_as_much(host: Host, address: str) -> None:
    ana, bo = (client_of(address, key_of(host, name)) for name in ("ana", "bo"))
    kept = ana.files.create(file=("a.txt", b"a" * MB), purpose="assistants")
    with pytest.raises(openai.APIStatusError, match="1 MB are free") as caught:
        ana.files.create(file=("b.txt", b"b" * MB), purpose="assistants")
    assert (caught.value.status_code, caught.value.code) == (413, "storage_quota_exceeded")
    assert [*host.files.iterdir()] == [host.files / kept.id]
    bo.files.create(file=("b.txt", b"b" * MB), purpose="assistants")
    ana.files.delete(kept.id)
    assert ana.files.create(file=("b.txt", b"b" * MB), purpose="assistants").bytes == MB


def test_a_body_without_a_length_is_cut_at_what_is_free(host: Host, address: str) -> None:
    def body(size: int) -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nassistants\r\n'
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
        for _ in range(size // 1000):
            yield b"x" * 1000
        yield b"\r\n--b--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=b", "Authorization": f"Bearer {key_of(host, 'ana')}"}
    with httpx.Client(base_url=address, headers=headers) as client:
        assert client.post("/v1/files", content=body(MB)).status_code == 200
        assert client.post("/v1/files", content=body(2 * MB)).status_code == 413
        assert client.post("/v1/files", content=body(10_000)).status_code == 200


def test_what_is_on_its_way_in_counts(host: Host) -> None:
    async def several() -> None:
        quota = Quota(host)
        async with quota.room("ana", MB), quota.room("ana", MB), quota.room("bo", 2 * MB):
            with pytest.raises(Refusal, match="0 MB are free"):
                async with quota.room("ana", 1):
                    pass
        async with quota.room("ana", None) as left:
            assert left == 2 * MB

    asyncio.run(several())
