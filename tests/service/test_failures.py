"""Errors as clients see them: the status, when to come back, and what they may not know."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from doceo.app.host import Host
from doceo.core import errors
from doceo.core.errors import DoceoError
from doceo.service.access import MayChat
from doceo.service.http import create_app
from tests.service.serving import host_in, plain, serving

WEB = plain()
SECRET = "http://inner:8000 /srv/runs OPENAI_API_KEY"


def made(kind: type[DoceoError], **more: Any) -> DoceoError:
    return kind(f"It is at {SECRET}.", hint=f"Look at {SECRET}.", **more)


CASES: dict[str, tuple[DoceoError, int, str]] = {
    "locked": (made(errors.StorageError, retryable=True), 503, "1"),
    "full": (made(errors.StorageError), 507, ""),
    "index": (made(errors.IndexUnusable), 503, ""),
    "slow": (made(errors.RateLimited, retry_after=17.2), 429, "18"),
    "slower": (made(errors.RateLimited), 429, "1"),
    "failed": (made(errors.ServerFailed, retry_after=3), 502, "3"),
    "away": (made(errors.Unreachable), 502, ""),
    "invalid": (made(errors.ReplyInvalid), 502, ""),
    "key": (made(errors.AuthenticationFailed), 502, ""),
    "cap": (made(errors.CostCapReached), 503, ""),
    "usage": (made(errors.UsageError), 503, ""),
    "extra": (errors.MissingExtra(SECRET, extra="otel", purpose="It"), 503, ""),
    "gone": (made(errors.ModelNotFound), 404, ""),
    "refused": (made(errors.RequestRejected, said="no such parameter: x"), 400, ""),
    "export": (made(errors.ExportFailed), 500, ""),
}


def raising(host: Host) -> Any:
    app = create_app(host)

    @app.get("/try/{name}", include_in_schema=False)
    async def fail(name: str, caller: MayChat) -> None:
        raise CASES[name][0]

    return app


@pytest.fixture(scope="module")
def open_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with serving(raising(host_in(tmp_path_factory.mktemp("open")))) as found:
        yield found


@pytest.fixture(scope="module")
def keyed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, dict[str, str]]]:
    host = host_in(tmp_path_factory.mktemp("keyed"))
    secret = host.store.keys.create("ana", "", ("chat",))[1]
    with serving(raising(host)) as found:
        yield found, {"Authorization": f"Bearer {secret}"}


@pytest.mark.parametrize("name", CASES)
def test_a_client_with_a_key_is_told_a_status_and_plain_words(
    name: str, keyed: tuple[str, dict[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    error, status, wait = CASES[name]
    address, auth = keyed
    with caplog.at_level(logging.WARNING, "doceo.service"):
        reply = WEB.get(f"{address}/try/{name}", headers={**auth, "X-Request-Id": f"mine-{name}"})
    assert (reply.status_code, reply.headers.get("retry-after", "")) == (status, wait)
    assert reply.json()["error"]["code"] == error.code
    assert not any(word in reply.text for word in SECRET.split())
    assert f"mine-{name}" in reply.text
    assert any(SECRET in record.getMessage() and f"mine-{name}" in record.getMessage() for record in caplog.records)


def test_what_the_models_server_says_of_a_request_is_told(keyed: tuple[str, dict[str, str]]) -> None:
    assert "no such parameter: x" in WEB.get(f"{keyed[0]}/try/refused", headers=keyed[1]).text


def test_who_runs_the_service_is_told_everything(open_address: str) -> None:
    reply = WEB.get(f"{open_address}/try/away")
    assert reply.status_code == 502
    assert SECRET in reply.text


def test_every_kind_of_error_has_its_place(tmp_path: Path) -> None:
    from doceo.service.failures import _OUTCOMES

    kinds = list(_OUTCOMES)
    for at, kind in enumerate(kinds):
        assert not any(issubclass(kind, wider) for wider in kinds[:at]), f"{kind} stands behind a wider kind"
