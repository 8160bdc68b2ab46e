"""A worker's turn at a job: what it survives, and what counts as the job's own failure."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from doceo.app.assistants import Assistants
from doceo.app.host import Host
from doceo.app.jobs import attempt, ends, indexing, outage, worker
from doceo.app.jobs.attempt import Attempt
from doceo.app.jobs.children import Children
from doceo.app.jobs.identity import Identity
from doceo.app.jobs.kind import JobFailed, Kind, Outcome, Step, Work
from doceo.app.jobs.kinds import KINDS
from doceo.app.jobs.queue import usable
from doceo.app.jobs.result_files import kept_files
from doceo.app.jobs.telling import Teller
from doceo.app.settings import Settings
from doceo.app.store.pages import Cursor
from doceo.core.errors import DoceoError, StorageError
from doceo.core.jobs import Job, JobError
from doceo.core.progress import Silent


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    for module, name, seconds in ((attempt, "_POLL", 0.01), (attempt, "_TELL", 0.02), (outage, "_PAUSE", 0.0)):
        monkeypatch.setattr(module, name, seconds)
    settings = Settings(model="quote", database_url=f"sqlite:///{tmp_path / 'kept.sqlite'}")
    return Host(settings, Assistants(settings, Silent()), tmp_path / "runs")


def nowhere(connection: Connection, job: Job) -> None:
    """A queue that keeps nothing."""


def made(host: Host) -> Work:
    job = host.store.jobs.create("ann", "generation", {}, nowhere)
    host.store.workers.join("w")
    taken = host.store.leases.take(job.id, 1, "w")
    assert taken is not None
    return Work(taken, host, host.jobs / job.id)


def now(work: Work) -> Job:
    return work.host.store.jobs.get("ann", work.job.id, "generation")


def said(work: Work) -> list[str]:
    return [event.message for event in work.host.store.job_events.page("ann", work.job.id, oldest_first=True)]


def away(then: Callable[..., Any], times: int = 2) -> Callable[..., Any]:
    """Return something that fails for want of the database so many times."""
    left = [times]

    def ask(*arguments: Any, **named: Any) -> Any:
        if left[0]:
            left[0] -= 1
            raise StorageError("away", hint="")
        return then(*arguments, **named)

    return ask


def done(work: Work, outputs: Any) -> Outcome:
    return Outcome({"done": True})


def running(tmp_path: Path, code: str) -> Kind:
    """Return a kind of job whose one command is some Python."""
    (tmp_path / "command.py").write_text(f"import os, signal, sys, time\nfrom pathlib import Path\n{code}")
    step = Step(("command",), environment={"PYTHONPATH": str(tmp_path), "HERE": str(tmp_path)})
    return Kind(lambda work: [step], done)


def test_each_result_file_is_kept_once(host: Host, tmp_path: Path) -> None:
    work = made(host)
    files = [(tmp_path / name, name) for name in ("train", "validation", "csv")]
    for path, name in files:
        path.write_text(name)
    first, second = files[:2], files[2:]
    ids = kept_files(work, first, purpose="fine-tune") + kept_files(work, second, purpose="user_data")
    # another worker takes the job up, or this one asks again after the database was away
    again = host.store.leases.take(work.job.id, 1, "w2")
    assert again is not None
    for one in (Work(again, host, work.place), Work(again, host, work.place)):
        assert kept_files(one, first, purpose="fine-tune") + kept_files(one, second, purpose="user_data") == ids
    assert {file.id for file in host.store.files.page("ann", Cursor()).data} == set(ids)


@pytest.mark.parametrize("at", range(6))
def test_a_worker_that_dies_while_it_keeps_result_files_leaves_none_twice(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int
) -> None:
    work, calls = made(host), itertools.count()
    files = [(tmp_path / name, name) for name in ("train", "csv")]
    for path, name in files:
        path.write_text(name)

    def dying(call: Callable[..., Any]) -> Callable[..., Any]:
        def ask(*arguments: Any, **named: Any) -> Any:
            if next(calls) == at:
                raise Died
            return call(*arguments, **named)

        return ask

    with monkeypatch.context() as patched, pytest.raises(Died):
        patched.setattr(host.store.leases, "keep", dying(host.store.leases.keep))
        patched.setattr(host.uploads, "put", dying(host.uploads.put))
        kept_files(work, files, purpose="fine-tune")
    again = host.store.leases.take(work.job.id, 1, "w2")
    assert again is not None
    ids = kept_files(Work(again, host, work.place), files, purpose="fine-tune")
    stored = {file.id: file for file in host.store.files.page("ann", Cursor()).data}
    assert [stored[key].filename for key in ids] == ["train", "csv"]
    assert len(stored) == 2
    assert [host.uploads.path(stored[key]).read_text() for key in ids] == ["train", "csv"]


def test_a_worker_that_was_taken_for_dead_takes_no_file_from_its_successor(host: Host, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    kept = host.uploads.put("ann", tmp_path / "a", "a", "fine-tune", name="file-0001")
    with pytest.raises(DoceoError):
        host.uploads.put("ann", tmp_path / "a", "a", "fine-tune", name="file-0001")
    assert host.uploads.path(kept).read_text() == "a"


class Died(BaseException):
    """What ends a worker at once."""


def test_a_job_ends_though_the_database_is_away_just_then(host: Host) -> None:
    def begin(work: Work) -> list[Step]:
        raise JobFailed(JobError(code="input", message="No rows."))

    work = made(host)
    Attempt(work, Kind(begin, done, away(lambda work, error, validating: error)), Children(), threading.Event()).run()
    assert (now(work).status, now(work).error) == ("failed", JobError(code="input", message="No rows."))


def test_a_bug_ends_a_job_though_the_database_is_away_just_then(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def begin(work: Work) -> list[Step]:
        raise ZeroDivisionError

    job = host.store.jobs.create("ann", "generation", {}, nowhere)
    monkeypatch.setitem(KINDS, "generation", Kind(begin, done))
    monkeypatch.setattr(host.store.leases, "end", away(host.store.leases.end))
    with pytest.raises(ZeroDivisionError):
        worker.Worker(host, Silent())._run(job.id, 1)
    ended = host.store.jobs.get("ann", job.id, "generation")
    assert (ended.status, ended.worker) == ("failed", "")
    assert ended.error is not None
    assert "ZeroDivisionError" in ended.error.message


def test_a_worker_that_ends_gives_a_job_back_once_the_database_is_there(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopping = threading.Event()

    def begin(work: Work) -> list[Step]:
        stopping.set()
        return [Step(("command",))]

    work = made(host)
    monkeypatch.setattr(host.queue, "opened", away(lambda: nowhere))
    Attempt(work, Kind(begin, done), Children(), stopping).run()
    assert (now(work).status, now(work).entry, now(work).worker) == ("queued", 2, "")


@pytest.mark.parametrize(("seconds", "code"), [(0.0, "out_of_memory"), (0.6, None)])
def test_another_process_that_ran_out_of_memory_long_ago_is_no_reason(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, code: str | None
) -> None:
    """The kernel's count is the whole machine's."""
    counted = tmp_path / "vmstat"
    counted.write_text("oom_kill 3\n")
    monkeypatch.setattr(ends, "_VMSTAT", counted)
    killed_once = f"""
here = Path(os.environ["HERE"])
if (here / "killed").exists():
    sys.exit(0)
(here / "killed").touch()
(here / "vmstat").write_text("oom_kill 4\\n")
time.sleep({seconds})
os.kill(os.getpid(), signal.SIGKILL)
"""
    work = made(host)
    Attempt(work, running(tmp_path, killed_once), Children(), threading.Event()).run()
    error = now(work).error
    assert (error and error.code) == code
    assert now(work).status == ("failed" if code else "succeeded")


def test_ends_that_were_asked_for_are_no_kills(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that is paused and resumed at once goes on, however often that happens."""
    runs: list[int] = []
    once = Attempt._once

    def counted(self: Attempt, number: int, step: Step) -> Any:
        runs.append(number)
        return once(self, number, step)

    monkeypatch.setattr(Attempt, "_once", counted)
    monkeypatch.setattr(Attempt, "_pass_on", lambda self, teller: len(runs) < 5)
    work = made(host)
    Attempt(work, running(tmp_path, "time.sleep(0.3)"), Children(), threading.Event()).run()
    assert (now(work).status, len(runs)) == ("succeeded", 5)
    assert not any("killed" in message for message in said(work))


def test_a_round_of_indexing_gets_further(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = tmp_path / "log"
    teller = Teller(log, [], [], [])
    indexing._tell(100, 300)
    log.write_text(capsys.readouterr().err)
    assert [news.message for news in teller.news()] == ["index: 100 of 300 files"]
    assert teller.got_further


def test_each_round_of_indexing_is_told(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    store, told = host.store.vector_stores.create("ann").id, list[tuple[int, int]]()
    for n in range(3):
        with host.uploads.receiving() as incoming:
            incoming.write(b"\x89PNG\r\n\x1a\n")
            file = host.uploads.keep(incoming, "ann", f"{n}.png", "assistants")
        host.store.attachments.add(store, [(file, {})])
    monkeypatch.setattr(indexing, "_AT_ONCE", 1)
    with closing(
        indexing.Indexing(host.settings, host.store, host.uploads, host.home, lambda *at: told.append(at))
    ) as one:
        one.run(store)
    assert told[:3] == [(1, 3), (2, 3), (3, 3)]


def test_a_worker_whose_loop_breaks_leaves_nothing_behind(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    stopped: list[int] = []

    class Broken:
        """A queue that is away first."""

        def __init__(self, *arguments: Any, **named: Any) -> None:
            self.holders = away(set, 1)

        def stop(self, seconds: int) -> None:
            stopped.append(seconds)

    monkeypatch.setattr(worker, "Executor", Broken)
    monkeypatch.setattr(worker, "migrate", lambda database: None)
    monkeypatch.setattr(host.queue, "prune", lambda before: 1 / 0)
    monkeypatch.setattr(worker, "_STRAYS", 0.0)
    monkeypatch.setattr(worker, "BEAT", 0.05)
    one = worker.Worker(host, Silent())
    with pytest.raises(ZeroDivisionError):
        one.work()
    assert stopped
    assert host.store.workers.all() == set()
    assert Identity(host.jobs).worker == one.id, "its slot is free again"


def test_what_the_database_does_to_the_queue_is_known(host: Host) -> None:
    with pytest.raises(StorageError, match="gone"), usable(host.store.database):
        raise OperationalError("SELECT", {}, Exception("gone"))
