"""A backup as the docs have it: the database first, then the folder, while the service runs."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

from doceo.app.host import Host
from doceo.service.http import create_app
from tests.service.serving import client_of, host_in, serving

DATABASE = "kept.sqlite"


def backup(home: Path, to: Path) -> Host:
    to.mkdir()
    source, copy = sqlite3.connect(home / DATABASE), sqlite3.connect(to / DATABASE)
    with source, copy:
        source.backup(copy)
    source.close()
    copy.close()
    shutil.copytree(home, to / "runs", ignore=shutil.ignore_patterns(f"{DATABASE}*"))
    (to / DATABASE).rename(to / "runs" / DATABASE)
    return host_in(to / "runs")


def test_what_was_kept_is_there_again(tmp_path: Path) -> None:
    host = host_in(tmp_path / "runs")
    with serving(create_app(host)) as address:
        client = client_of(address)
        file = client.files.create(file=("a.md", b"# A\n\nThe ferry opened in 1902."), purpose="assistants")
        talk = client.conversations.create(items=[{"role": "user", "content": "When was it opened?"}])
        rows = client.files.create(file=("r.jsonl", b"{}"), purpose="fine-tune")
        job = client.fine_tuning.jobs.create(model="doceo-5m", training_file=rows.id)
        restored = backup(host.home, tmp_path / "backup")
        client.files.delete(file.id)
    with serving(create_app(restored)) as address:
        client = client_of(address)
        assert client.files.content(file.id).read() == b"# A\n\nThe ferry opened in 1902."
        (item,) = client.conversations.items.list(talk.id)
        assert item.content[0].text == "When was it opened?"  # type: ignore[union-attr]
        assert client.fine_tuning.jobs.retrieve(job.id).status in ("queued", "validating_files")
