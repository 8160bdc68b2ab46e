"""A backup and what it gives: by the commands of the docs, and with what `doceo doctor` says of it."""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from doceo.app.checkup import kept
from doceo.app.host import FILES, Host
from doceo.app.runs import HOME
from doceo.app.settings import Settings
from doceo.app.store import open_store
from doceo.app.store.places import default_file
from doceo.app.uploads import Uploads
from doceo.service.http import create_app
from tests.service.serving import client_of, host_in, serving

DATABASE = "kept.sqlite"
DOCS = Path(__file__).resolve().parents[2] / "docs" / "operating.md"


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


@pytest.mark.skipif(shutil.which("sqlite3") is None, reason="sqlite3 is not here")
@pytest.mark.parametrize("copied_by", ["rsync", "tar"])
def test_the_commands_of_the_docs_back_up_and_restore(
    copied_by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which(copied_by) is None:
        pytest.skip(f"{copied_by} is not here")
    monkeypatch.chdir(tmp_path)
    store = open_store()
    Path("a.md").write_text("The ferry opened in 1902.")
    file = Uploads(store.files, HOME / FILES).put("ana", Path("a.md"), "a.md", "assistants")
    page = DOCS.read_text(encoding="utf-8").partition("## Backup\n")[2].partition("\n## ")[0]
    save, without_rsync, restore = re.findall(r"```bash\n(.*?)```", page, re.DOTALL)
    if copied_by == "tar":
        save = re.sub(r"rsync .*\n", lambda _: without_rsync, save)

    def run(commands: str) -> None:
        subprocess.run(["bash", "-euc", commands], check=True, timeout=60, env={**os.environ, "LC_ALL": "C"})

    old = Path("backup")
    old.mkdir(mode=0o755)
    for _ in range(2):
        run(save)
    assert [path for path in (old, old / "doceo.sqlite") if path.stat().st_mode & 0o077] == []
    assert open_store("sqlite:///backup/doceo.sqlite").files.get("ana", file.id) == file
    assert Path("backup", HOME, FILES, file.id).read_text() == "The ferry opened in 1902."
    assert [*Path("backup").rglob(f"{default_file().name}*")] == []
    HOME.rename("lost")
    run(restore.replace("doceo doctor\n", ""))
    assert open_store().files.get("ana", file.id) == file
    assert Path(HOME, FILES, file.id).read_text() == "The ferry opened in 1902."
    assert [one.words for one in kept(Settings(), HOME) if not one.ok] == []


def problems(host: Host) -> dict[str, str]:
    """Return what the doctor finds wrong with what a service keeps."""
    found = {one.name: one for one in kept(host.settings, host.home)}
    assert all(one.cure for one in found.values() if not one.ok)
    return {name: one.words for name, one in found.items() if not one.ok}


def test_the_doctor_says_what_does_not_fit(tmp_path: Path) -> None:
    host = host_in(tmp_path)
    assert problems(host) == {}, "nothing is there yet"
    (host.files / "file-1").mkdir(parents=True)
    assert "hold what it names" in problems(host)["database"]
    (host.files / "file-1").rmdir()
    store = host.store
    store.vector_stores.count()
    (host.files / "file-2").write_text("Boats leave at noon.")
    assert "file-2" in problems(host)["unknown files"], "an empty database was made beside the files of another"
    (tmp_path / "a.md").write_text("The ferry opened in 1902.")
    files = [host.uploads.put("ana", tmp_path / "a.md", "a.md", "assistants") for _ in range(2)]
    vector_store = store.vector_stores.create("ana", "s")
    store.attachments.add(vector_store.id, [(files[0], {})])
    assert problems(host) == {}
    found = {one.name: one.words for one in kept(host.settings, tmp_path)}
    assert found["vector stores"].endswith("without text: 1")
    assert "file-2" in found["unknown files"], "one that came after the copy of the database is told, and no fault"
    store.attachments.completed(vector_store.id, {files[0].id: 25})
    store.models.add("ana", "ft:m:ana::1", base="m", folder="ftjob-1/adapter", job="ftjob-1")
    (host.files / files[1].id).unlink()
    (tmp_path / ".collections" / "laws").mkdir(parents=True)
    found = problems(host)
    assert found.keys() == {"files", "tuned models", "vector stores", "collections"}
    assert files[1].id in found["files"]
    assert "ftjob-1/adapter" in found["tuned models"]
    assert vector_store.id in found["vector stores"]
    assert "laws" in found["collections"]
    with store.database.writing() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    assert "a newer version" in problems(host)["database"]
    Path(store.place).write_text("no database")
    assert "is no database of Doceo" in problems(host)["database"]
