"""The run folder: stages, manifests, locks, continuing."""

from __future__ import annotations

import errno
import multiprocessing
from pathlib import Path

import pytest

from data import manifest
from data.jsonl import read_jsonl, write_jsonl, write_text
from data.store import DOCUMENTS, Run
from doceo.core.config import ChunkConfig, ReadConfig
from doceo.core.errors import InputError, RunLocked, StageMissing, StorageError
from doceo.core.records import Skipped


def make(run: Run, text: str, config: ReadConfig | None = None) -> None:
    with run.stage(DOCUMENTS, config=[config or ReadConfig()], inputs={"a": "1"}).making() as work:
        write_text(work / "documents.jsonl", text)


def test_a_stage_is_finished_by_its_manifest_and_only_for_its_own_recipe(tmp_path: Path) -> None:
    run = Run(tmp_path / "r")
    stage = run.stage(DOCUMENTS, config=[ReadConfig()], inputs={"a": "1"})
    assert not stage.finished
    make(run, "x\n")
    assert stage.finished
    assert not run.stage(DOCUMENTS, config=[ReadConfig(seconds=1)], inputs={"a": "1"}).finished
    assert not run.stage(DOCUMENTS, config=[ReadConfig()], inputs={"a": "2"}).finished
    assert not run.stage(DOCUMENTS, config=[ReadConfig()], inputs={"a": "1"}, prompts={"p": "h"}).finished


def test_an_error_leaves_the_old_stage_as_it_was(tmp_path: Path) -> None:
    run = Run(tmp_path / "r")
    make(run, "old\n")
    with (
        pytest.raises(ValueError, match="broken"),
        run.stage(DOCUMENTS, config=[ReadConfig(seconds=1)]).making() as work,
    ):
        write_text(work / "documents.jsonl", "half")
        raise ValueError("broken")
    assert run.file(DOCUMENTS, "documents.jsonl").read_text() == "old\n"
    assert [p.name for p in run.path.iterdir()] == [DOCUMENTS]


def test_a_resumable_stage_finds_its_work_again_but_not_that_of_another_recipe(tmp_path: Path) -> None:
    run = Run(tmp_path / "r")
    stage = run.stage(DOCUMENTS, config=[ReadConfig()])
    with pytest.raises(KeyboardInterrupt), stage.making(resumable=True) as work:
        write_text(work / "part", "1")
        raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt), stage.making(resumable=True) as work:
        assert (work / "part").read_text() == "1"
        raise KeyboardInterrupt
    with run.stage(DOCUMENTS, config=[ChunkConfig()]).making(resumable=True) as work:
        assert not (work / "part").exists()


def test_a_process_that_died_between_the_two_renames_loses_nothing(tmp_path: Path) -> None:
    run = Run(tmp_path / "r")
    make(run, "old\n")
    (run.path / DOCUMENTS).rename(run.path / f".{DOCUMENTS}.old")
    assert run.stage(DOCUMENTS, config=[ReadConfig()], inputs={"a": "1"}).finished
    assert run.file(DOCUMENTS, "documents.jsonl").read_text() == "old\n"


@pytest.mark.parametrize(("stage", "verb"), [("3-pairs", "generate"), ("0-exam", "loop"), ("6-judged", "evaluate")])
def test_a_missing_stage_names_the_command_that_makes_it(tmp_path: Path, stage: str, verb: str) -> None:
    with pytest.raises(StageMissing) as caught:
        Run(tmp_path / "r").file(stage, "pairs.jsonl")
    assert f"doceo {verb}" in caught.value.hint


def test_a_stage_of_a_loop_is_looked_for_in_its_rounds(tmp_path: Path) -> None:
    run = Run(tmp_path / "loop")
    with run.stage("0-exam", config=[ReadConfig()]).making():
        (run.path / "rounds" / "gap-0" / "2").mkdir(parents=True)
    with pytest.raises(StageMissing) as caught:
        run.file("7-scores", "scores.json")
    assert caught.value.hint == f"This is a loop; its rounds are runs, such as {run.path / 'rounds/gap-0/2'}."


def test_a_run_that_nothing_was_written_to_is_gone(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    for name in ("old", "new", "used"):
        with Run(tmp_path / name).locked():
            if name == "used":
                (tmp_path / name / "file").touch()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old", "used"]


def hold(path: str, ready: object, leave: object) -> None:
    with Run(Path(path)).locked():
        ready.set()  # type: ignore[attr-defined]
        leave.wait(20)  # type: ignore[attr-defined]


def test_a_run_is_locked_by_the_process_that_writes_it(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ready, leave = context.Event(), context.Event()
    child = context.Process(target=hold, args=(str(tmp_path / "r"), ready, leave))
    child.start()
    assert ready.wait(30)
    run = Run(tmp_path / "r")
    with pytest.raises(RunLocked, match=str(child.pid)), run.locked():
        pass
    child.kill()
    child.join()
    with run.locked():
        pass


def test_the_same_process_waits_for_nobody(tmp_path: Path) -> None:
    run = Run(tmp_path / "r")
    with run.locked():
        pass
    with run.locked():
        pass


def test_a_full_disk_is_said_and_leaves_no_half_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StorageError, match="disk is full") as caught:
        write_text(tmp_path / "a.txt", "text")
    assert "Free some space" in caught.value.hint
    assert list(tmp_path.glob("*.t*")) == []


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "skipped.jsonl"
    write_jsonl(path, [Skipped(source="a", reason="empty")])
    with path.open("a") as out:
        out.write('{"source": "b"}\n')
    with pytest.raises(InputError, match="line 2: reason"):
        read_jsonl(path, Skipped)


def test_input_hashes_are_relative_and_sorted(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / "in").mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_text(name)
    assert list(manifest.hash_inputs([tmp_path / "in"], tmp_path)) == ["in/a", "in/b"]
