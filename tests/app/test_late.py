"""A process whose time is over puts nothing in its place any more."""

from __future__ import annotations

from pathlib import Path

import pytest
from transformers import TrainerControl

from data.formats.tables import write_parquet
from data.jsonl import write_text
from doceo.core import lease
from finetune import callbacks
from rag import versions


class Over(BaseException):
    """In the place of the end of the process."""


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> None:
    def end() -> None:
        raise Over

    monkeypatch.setattr(lease, "_until", lease.now() - 1)
    monkeypatch.setattr(lease, "_end", end)


def test_a_file(tmp_path: Path, late: None) -> None:
    place = tmp_path / "a.txt"
    place.write_text("of the next one")
    with pytest.raises(Over):
        write_text(place, "late")
    assert place.read_text() == "of the next one"
    with pytest.raises(Over):
        write_parquet([], {}, tmp_path / "a.parquet")
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_a_version_of_an_index(tmp_path: Path, late: None) -> None:
    work = versions.begin(tmp_path)
    with pytest.raises(Over):
        versions.publish(tmp_path, work)
    assert [path.name for path in tmp_path.iterdir()] == [versions.NEXT]


def test_the_best_adapter(tmp_path: Path, late: None, monkeypatch: pytest.MonkeyPatch) -> None:
    log = callbacks.Log(tmp_path / "training.jsonl", lambda: 0.0)
    log.lines = [{"eval_loss": 1.0}]
    monkeypatch.setattr(callbacks, "save_weights", lambda model, folder: folder.mkdir())
    place = tmp_path / "best"
    place.mkdir()
    (place / "of-the-next-one").touch()
    best = callbacks.Best(place, 2, log)
    with pytest.raises(Over):
        best.on_evaluate(None, None, TrainerControl(), model=None)  # type: ignore[arg-type]
    assert [path.name for path in place.iterdir()] == ["of-the-next-one"]
