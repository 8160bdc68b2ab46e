"""What an older program has made or begun is a newer one's too, though that one knows more settings."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import create_model

from data.store import Run
from doceo.core.config.base import Config
from doceo.core.fingerprint import same_configs, written_configs


class Recipe(Config):
    """What the older program knows."""

    rank: int | None = None
    shares: tuple[float, ...] = (0.5, 0.5)
    form: Literal["a", "b"] = "a"


Newer = create_model("Recipe", __base__=Recipe, batch=(int, 8))
"""The same class in the newer program."""


def test_a_setting_that_an_older_program_did_not_know_counts_as_its_default() -> None:
    old = written_configs([Recipe(rank=4)])
    assert same_configs(old, [Recipe(rank=4)])
    assert same_configs(old, [Newer(rank=4)])
    assert not same_configs(old, [Newer(rank=4, batch=9)])
    assert not same_configs(old, [Newer(rank=5)])
    assert not same_configs(old, [Newer(rank=4), Config()])
    assert not same_configs({"Recipe": old["Recipe"] | {"form": "c"}}, [Newer(rank=4)])


def test_a_stage_stays_finished_and_goes_on_after_an_upgrade(tmp_path: Path) -> None:
    run, inputs = Run(tmp_path), {"rows": "1"}
    older = run.stage("5-adapter", config=[Recipe(rank=4)], inputs=inputs)
    newer = run.stage("5-adapter", config=[Newer(rank=4)], inputs=inputs)
    other = run.stage("5-adapter", config=[Newer(rank=4)], inputs={"rows": "2"})
    try:
        with older.making(resumable=True) as work:
            (work / "checkpoint").touch()
            raise KeyboardInterrupt
    except KeyboardInterrupt:
        assert not newer.left_by_another
        assert other.left_by_another
    with newer.making(resumable=True) as work:
        assert (work / "checkpoint").exists()
    assert newer.finished
    assert older.finished
    assert not other.finished


def test_what_a_much_older_program_has_begun_counts_as_another(tmp_path: Path) -> None:
    stage = Run(tmp_path).stage("5-adapter", config=[Recipe()])
    stage.work.mkdir()
    (stage.work / ".recipe").write_text("0123abcd({}, {})")
    assert stage.left_by_another
    with stage.making(resumable=True):
        pass
    assert stage.finished
