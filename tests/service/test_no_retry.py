"""OpenAI's clients repeat what failed in the server; what cannot succeed is not asked for again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from doceo.app.host import Host
from doceo.core.errors import StorageError
from doceo.service.http import create_app
from tests.service.serving import host_in, serving


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return host_in(tmp_path)


@pytest.fixture
def asked(host: Host) -> Iterator[tuple[openai.OpenAI, list[str]]]:
    """The stock client with its own two retries, and what it has asked."""
    seen: list[str] = []
    with serving(create_app(host)) as address:
        hooks = {"request": [lambda request: seen.append(request.url.path)]}
        web = openai.DefaultHttpxClient(verify=False, event_hooks=hooks)
        yield openai.OpenAI(base_url=f"{address}/v1", api_key="none", http_client=web), seen


def test_what_there_is_not_is_asked_for_once(asked: tuple[openai.OpenAI, list[str]]) -> None:
    client, seen = asked
    with pytest.raises(openai.InternalServerError, match="Doceo has no"):
        client.responses.create(model="quote", input="When?")
    with pytest.raises(openai.InternalServerError, match="cannot be shared"):
        client.fine_tuning.checkpoints.permissions.create("ft:x", project_ids=["p"])
    assert len(seen) == 2


@pytest.mark.parametrize("retryable", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_full_disk_is_not_tried_again_and_a_locked_database_is(
    retryable: bool, host: Host, asked: tuple[openai.OpenAI, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*words: object) -> None:
        raise StorageError("It cannot be written.", hint="Look.", retryable=retryable)

    client, seen = asked
    monkeypatch.setattr(host.store.files, "add", fails)
    with pytest.raises(openai.InternalServerError, match="cannot be written"):
        client.files.create(file=("a.md", b"text"), purpose="assistants")
    assert len(seen) == (3 if retryable else 1)
