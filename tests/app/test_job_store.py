"""Jobs, leases and workers in the database: who may write what, and who takes over from whom."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from doceo.app.jobs.queue import APPLICATION, Queue
from doceo.app.store import Store, open_store
from doceo.app.store.job_events import News
from doceo.app.store.job_leases import LeaseLost
from doceo.app.store.pages import Cursor
from doceo.app.store.workers import Workers
from doceo.core.errors import NotFound
from doceo.core.jobs import Job, JobError
from tests.postgres import postgres_server


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.slow)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    ticks, ids = count(1000), count(1)

    def opened(url: str) -> Store:
        return open_store(url, clock=lambda: float(next(ticks)), ids=lambda: f"{next(ids):016x}")

    if request.param == "sqlite":
        yield opened(f"sqlite:///{tmp_path / 'jobs.sqlite'}")
        return
    with postgres_server() as server:
        found = opened(server.empty())
        yield found
        found.close()


def nowhere(connection: Connection, job: Job) -> None:
    """A queue that keeps nothing."""


def made(store: Store, owner: str = "ann", **given: object) -> Job:
    return store.jobs.create(owner, "fine_tuning", {"n": 1}, nowhere, **given)  # type: ignore[arg-type]


def test_an_older_lease_changes_nothing(store: Store) -> None:
    job = made(store)
    first, second = store.leases.take(job.id, 1, "w1"), store.leases.take(job.id, 1, "w2")
    assert first is not None
    assert second is not None
    assert (first.lease, second.lease, second.worker, second.status) == (1, 2, "w2", "running")
    for late in (
        lambda: store.leases.report(first, [News(message="late")]),
        lambda: store.leases.keep(first, {"late": True}),
        lambda: store.leases.end(first, "failed", [News(message="late")], result={}),
        lambda: store.leases.release(first, nowhere),
        lambda: store.leases.wanted(first),
    ):
        with pytest.raises(LeaseLost):
            late()
    store.leases.report(second, [News(message="one"), News(message="two")], estimated_finish=5.5)
    store.leases.end(second, "succeeded", [News(message="three")], result={"a": 1})
    done = store.jobs.get("ann", job.id, "fine_tuning")
    assert (done.status, done.worker, done.result, done.estimated_finish) == ("succeeded", "", {"a": 1}, None)
    events = store.job_events.page("ann", job.id, oldest_first=True)
    assert [(event.place, event.message) for event in events] == [(1, "one"), (2, "two"), (3, "three")]
    assert store.leases.take(job.id, 1, "w3") is None


def test_an_old_entry_of_the_queue_gives_no_job(store: Store) -> None:
    job = made(store)
    assert store.workers.join("w")
    assert store.jobs.pause("ann", job.id, "paused").status == "paused"
    assert store.leases.take(job.id, 1, "w") is None
    again = store.jobs.resume("ann", job.id, "resumed", nowhere)
    assert (again.status, again.entry) == ("queued", 2)
    assert store.leases.take(job.id, 1, "w") is None
    taken = store.leases.take(job.id, 2, "w")
    assert taken is not None
    assert store.jobs.pause("ann", job.id, "paused").wanted == "pause"
    assert store.leases.wanted(taken) == "pause"
    assert store.jobs.resume("ann", job.id, "resumed", nowhere).wanted == ""
    assert store.jobs.cancel("ann", job.id, "cancelled").wanted == "cancel"
    assert store.jobs.pause("ann", job.id, "paused").wanted == "cancel"
    store.leases.release(taken, nowhere)
    waiting = store.jobs.get("ann", job.id, "fine_tuning")
    assert (waiting.status, waiting.entry, waiting.worker) == ("queued", 3, "")


def test_many_that_ask_with_one_key_make_one_job_and_one_entry(store: Store) -> None:
    queue = Queue(store.database)
    enqueue = queue.opened()

    def ask(_: int) -> str:
        return store.jobs.create("ann", "generation", {"n": 1}, enqueue, key="k").id

    with ThreadPoolExecutor(4) as pool:
        jobs = set(pool.map(ask, range(8)))
    assert len(jobs) == 1
    assert store.jobs.create("bob", "generation", {"n": 1}, enqueue, key="k").id not in jobs
    schema = "" if store.database.file else "dbos."
    with store.database.reading() as connection:
        entries = connection.execute(
            text(f"SELECT workflow_uuid, status, application_version, serialization FROM {schema}workflow_status")
        ).all()
    assert len(entries) == 2
    # neither a hash of the program, which an upgrade would change, nor anything pickled
    assert {tuple(entry[1:]) for entry in entries} == {("ENQUEUED", APPLICATION, "portable_json")}


def test_entries_of_long_ago_are_forgotten(store: Store) -> None:
    queue = Queue(store.database)
    old, new, waiting = (store.jobs.create("ann", "generation", {}, queue.opened()).id for _ in range(3))
    status = "workflow_status" if store.database.file else "dbos.workflow_status"
    for job, completed in ((old, 1_000), (new, 3_000)):
        with store.database.writing() as connection:
            ended = f"status = 'SUCCESS', completed_at = {completed} WHERE workflow_uuid = '{job}.1'"
            connection.execute(text(f"UPDATE {status} SET {ended}"))
    queue.prune(2.0)
    with store.database.reading() as connection:
        left = set(connection.scalars(text(f"SELECT workflow_uuid FROM {status}")))
    assert left == {f"{new}.1", f"{waiting}.1"}


def test_a_job_that_cannot_be_queued_is_not_made(store: Store) -> None:
    def broken(connection: Connection, job: Job) -> None:
        raise RuntimeError("no queue")

    with pytest.raises(RuntimeError):
        store.jobs.create("ann", "generation", {}, broken)
    assert store.jobs.page("ann", "generation", Cursor()).data == []


def test_owners_never_see_each_other(store: Store) -> None:
    job = made(store, said="Created")
    for ask in (
        lambda: store.jobs.get("bob", job.id, "fine_tuning"),
        lambda: store.jobs.get("ann", job.id, "generation"),
        lambda: store.jobs.cancel("bob", job.id, ""),
        lambda: store.jobs.pause("bob", job.id, ""),
        lambda: store.jobs.resume("bob", job.id, "", nowhere),
    ):
        with pytest.raises(NotFound):
            ask()
    assert store.job_events.page("bob", job.id) == []
    assert store.jobs.page("bob", "fine_tuning", Cursor()).data == []
    store.models.add("ann", "ft:a", base="b", folder="f", job=job.id)
    assert store.models.get("bob", "ft:a") is None
    assert not store.models.delete("bob", "ft:a")
    assert [model.id for model in store.models.all("ann")] == ["ft:a"]


def test_pages_and_filters(store: Store) -> None:
    jobs = [made(store, metadata={"n": str(n % 2)} if n else None).id for n in range(5)]
    page = store.jobs.page("ann", "fine_tuning", Cursor(limit=2))
    assert ([job.id for job in page.data], page.more) == (jobs[:2:-1], True)
    rest = store.jobs.page("ann", "fine_tuning", Cursor(limit=9, after=page.data[-1].id))
    assert ([job.id for job in rest.data], rest.more) == (jobs[2::-1], False)
    odd = store.jobs.page("ann", "fine_tuning", Cursor(limit=1), metadata={"n": "1"})
    assert ([job.id for job in odd.data], odd.more) == ([jobs[3]], True)
    bare = store.jobs.page("ann", "fine_tuning", Cursor(), bare=True)
    assert [job.id for job in bare.data] == [jobs[0]]
    store.jobs.cancel("ann", jobs[0], "")
    assert store.jobs.counts() == {("fine_tuning", "queued"): 4, ("fine_tuning", "cancelled"): 1}


def test_errors_and_odd_characters_come_back(store: Store) -> None:
    job = made(store, metadata={"k": "\ud800 \0 ü"}, said="a \0 b")
    taken = store.leases.take(job.id, 1, "w")
    assert taken is not None
    error = JobError(code="input", message="line 3 \0", param="training_file")
    store.leases.end(taken, "failed", [News(message="x" * 9000, level="error", data={"n": 1})], result={}, error=error)
    found = store.jobs.get("ann", job.id, "fine_tuning")
    assert found.error == error
    assert found.metadata["k"].endswith("ü")
    last, first = store.job_events.page("ann", job.id)
    assert (len(last.message), last.data, first.message) == (4000, {"n": 1}, "a \ufffd b")


def test_one_of_many_takes_over_from_the_dead(store: Store) -> None:
    workers = Workers(store.database, dead=0.3)
    assert workers.join("w1")
    assert workers.join("w1")
    assert not workers.take_over("w1", "w2")
    with store.database.writing() as connection:
        connection.execute(text("UPDATE workers SET heartbeat = heartbeat - 1"))
    assert workers.dead() == ["w1"]
    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(lambda n: workers.take_over("w1", f"w{n}"), range(2, 8)))
    assert won.count(True) == 1
    # it comes back from the dead, and is told so
    assert not workers.beat("w1")
    assert not workers.join("w1")
    assert workers.alive() == []
    workers.leave("w1")
    assert not workers.beat("w1")
    assert workers.all() == set()


def silent(store: Store) -> None:
    with store.database.writing() as connection:
        connection.execute(text("UPDATE workers SET heartbeat = heartbeat - 100"))


def test_the_jobs_of_a_dead_worker_wait_or_are_what_their_owners_want(store: Store) -> None:
    store.workers.join("dead")
    jobs = [made(store, status="validating_files" if n == 1 else "queued") for n in range(4)]
    taken = [store.leases.take(job.id, 1, "dead") for job in jobs]
    store.jobs.cancel("ann", jobs[2].id, "")
    store.jobs.pause("ann", jobs[3].id, "")
    silent(store)
    assert store.workers.take_over("dead", "w")
    found = [store.jobs.get("ann", job.id, "fine_tuning") for job in jobs]
    assert [job.status for job in found] == ["queued", "validating_files", "cancelled", "paused"]
    assert {(job.worker, job.wanted) for job in found} == {("", "")}
    assert [event.message for event in store.job_events.page("ann", jobs[2].id)] == ["Job cancelled"]
    first, cancelled = taken[0], taken[2]
    assert first is not None
    assert cancelled is not None
    # it wakes before another has the job: what it says counts, but the job is not its own again
    store.leases.report(first, [News(message="awake")])
    assert [job.id for job in store.jobs.waiting("ann", "fine_tuning")] == [jobs[0].id]
    with pytest.raises(LeaseLost):
        store.leases.end(cancelled, "succeeded", [], result={})
    again = store.leases.take(jobs[0].id, 1, "w")
    assert again is not None
    assert (again.status, again.lease) == ("running", 2)


def test_a_job_ends_where_no_worker_is_left_to_end_it(store: Store) -> None:
    store.workers.join("w")
    jobs = [made(store) for _ in range(3)]
    taken = store.leases.take(jobs[0].id, 1, "w")
    store.leases.take(jobs[1].id, 1, "w")
    assert taken is not None
    store.jobs.pause("ann", jobs[1].id, "")
    silent(store)
    done = store.jobs.cancel("ann", jobs[0].id, "cancelled")
    assert (done.status, done.worker) == ("cancelled", "")
    assert done.finished is not None
    with pytest.raises(LeaseLost):
        store.leases.end(taken, "succeeded", [], result={})
    assert store.jobs.get("ann", jobs[1].id, "fine_tuning").wanted == "pause"
    assert store.jobs.cancel("ann", jobs[1].id, "cancelled").status == "cancelled"
    store.workers.leave("w")
    store.workers.join("w")
    store.leases.take(jobs[2].id, 1, "w")
    store.workers.leave("w")
    left = store.jobs.get("ann", jobs[2].id, "fine_tuning")
    assert (left.status, left.worker, left.lease) == ("queued", "", 1)
