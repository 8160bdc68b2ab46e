"""Streams of a job's events: how many there may be, and what ends them."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Connection, text

from doceo.app.host import Host
from doceo.app.store.job_events import News
from doceo.core.errors import StorageError
from doceo.core.jobs import Job
from doceo.service import event_streams
from doceo.service.http import create_app
from tests.service.keeping import key_of
from tests.service.serving import host_in, plain, serving


def nowhere(connection: Connection, job: Job) -> None:
    """A queue that keeps nothing."""


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    monkeypatch.setattr(event_streams, "_EVERY", 0.02)
    return host_in(tmp_path / "runs", service={"max_event_streams": 2})


@pytest.fixture
def address(host: Host) -> Iterator[str]:
    with serving(create_app(host)) as found:
        yield found


def made(host: Host, owner: str) -> str:
    return host.store.jobs.create(owner, "generation", {}, nowhere, said="Created").id


class Reader:
    """An open stream of events."""

    def __init__(self, client: httpx.Client, address: str, job: str, secret: str) -> None:
        url = f"{address}/v1/generation/jobs/{job}/events?stream=true"
        request = client.build_request("GET", url, headers={"Authorization": f"Bearer {secret}"})
        self.response = client.send(request, stream=True)
        self._lines = self.response.iter_lines()

    def next(self) -> Any:
        line = next(line for line in self._lines if line.startswith("data: ")).removeprefix("data: ")
        return line if line == "[DONE]" else json.loads(line)

    def ends(self) -> bool:
        return not any(line.startswith("data: ") for line in self._lines)


def test_an_owner_has_so_many_and_no_more(host: Host, address: str) -> None:
    ann, job = key_of(host, "ann", "train"), made(host, "ann")
    ben, other = key_of(host, "ben", "train"), made(host, "ben")
    with plain() as client:
        first, second = Reader(client, address, job, ann), Reader(client, address, job, ann)
        assert [reader.next()["message"] for reader in (first, second)] == ["Created", "Created"]
        refused = Reader(client, address, job, ann).response
        assert (refused.status_code, json.loads(refused.read())["error"]["code"]) == (429, "too_many_streams")
        assert Reader(client, address, other, ben).next()["message"] == "Created"
        first.response.close()
        for _ in range(100):
            again = Reader(client, address, job, ann)
            if again.response.status_code == 200:
                break
            time.sleep(0.02)
        assert again.next()["message"] == "Created"


def test_it_ends_with_the_key_and_with_the_job(host: Host, address: str) -> None:
    secret, job = key_of(host, "ann", "train"), made(host, "ann")
    other, gone = key_of(host, "ann", "train"), made(host, "ann")
    with plain() as client:
        revoked, deleted = Reader(client, address, job, secret), Reader(client, address, gone, other)
        assert [reader.next()["message"] for reader in (revoked, deleted)] == ["Created", "Created"]
        host.store.keys.revoke(host.store.keys.all("ann")[0].id)
        assert revoked.next()["error"]["code"] == "invalid_api_key"
        assert revoked.ends()
        with host.store.database.writing() as connection:
            connection.execute(text(f"DELETE FROM jobs WHERE id = '{gone}'"))
        assert deleted.next() == "[DONE]"
        assert deleted.ends()


def test_it_goes_on_when_the_database_is_back(host: Host, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    secret, job = key_of(host, "ann", "train"), made(host, "ann")
    page, failed = host.store.job_events.page, list[int]()

    def away(*arguments: Any, **named: Any) -> Any:
        if len(failed) < 3:
            failed.append(1)
            raise StorageError("The database is away.", hint="")
        return page(*arguments, **named)

    with plain() as client:
        reader = Reader(client, address, job, secret)
        assert reader.next()["message"] == "Created"
        monkeypatch.setattr(host.store.job_events, "page", away)
        taken = host.store.leases.take(job, 1, "w")
        assert taken is not None
        host.store.leases.end(taken, "succeeded", [News(message="Done")], result={})
        assert reader.next()["message"] == "Done"
        assert reader.next() == "[DONE]"
        assert len(failed) == 3
