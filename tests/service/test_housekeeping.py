"""What the service does by itself goes on, whatever goes wrong with it."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path
from typing import Any

import pytest

from doceo.app import index_state
from doceo.app.host import Host
from doceo.app.store.audit import Entry
from doceo.core.errors import StorageError
from doceo.service import housekeeping, protection
from doceo.service.limits import Limits
from tests.service.keeping import keeping_host
from tests.service.serving import host_in


async def a_while(work: Any) -> None:
    task = asyncio.create_task(work)
    await asyncio.sleep(0.12)
    assert not task.done()
    task.cancel()


def test_one_failure_ends_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    host = keeping_host(tmp_path)
    monkeypatch.setattr(housekeeping, "EVERY", 0.02)
    monkeypatch.setattr(housekeeping, "LOOK", 0.02)
    closed: list[str] = []

    def gone() -> None:
        raise FileNotFoundError("it was renamed just now")

    def full() -> list[str]:
        raise StorageError("The disk is full.", hint="Free some space.")

    monkeypatch.setattr(host.searches, "let_go", gone)
    monkeypatch.setattr(host.assistants, "let_go", lambda: closed.append("assistants"))
    monkeypatch.setattr(host.uploads, "sweep", full)
    host.store.audit.add([Entry(at=time.time() - 100 * 86400, action="GET", outcome=401)])
    with caplog.at_level(logging.ERROR, "doceo.service"):
        asyncio.run(a_while(housekeeping.housekeeping(host)))
    assert len(closed) >= 2
    assert host.store.audit.latest(9) == []
    said = {record.getMessage() for record in caplog.records}
    assert any("disk is full" in words for words in said)
    assert any("cannot be closed" in words for words in said)


def test_usage_is_written_again_after_a_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protection, "FRESH", 0.02)
    host = host_in(tmp_path)
    limits, tried = Limits(host, host.settings.service), list[int]()

    def broken(amounts: Any) -> None:
        tried.append(len(list(amounts)))
        raise OSError("the disk is away")

    monkeypatch.setattr(host.store.usage, "add", broken)
    limits.spend("a", 1, 2)
    asyncio.run(a_while(protection._write_usage(limits)))
    assert len(tried) > 1
    assert set(tried) == {1}


def begun(host: Host) -> Path:
    host.files.mkdir(parents=True, exist_ok=True)
    path = host.files / ".begun-1"
    path.write_bytes(b"x")
    return path


def test_an_upload_that_is_finished_meanwhile_does_not_stop_the_sweep(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = keeping_host(tmp_path)
    path, stat = begun(host), Path.stat

    def renamed(self: Path, **more: Any) -> Any:
        if self == path:
            raise FileNotFoundError(self)
        return stat(self, **more)

    monkeypatch.setattr(Path, "stat", renamed)
    assert host.uploads.sweep() == []
    monkeypatch.undo()
    assert path.exists()


def test_an_index_that_is_damaged_is_none_that_is_current(tmp_path: Path) -> None:
    (tmp_path / "current").write_text("000007\n")
    assert not index_state.current(tmp_path, "000007 ")
