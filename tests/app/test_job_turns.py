"""What a job waits for before its turn, and how many of an owner may wait."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from doceo.app.jobs.queue import Queue
from doceo.app.store import Store, open_store
from doceo.app.store.job_events import News
from doceo.app.store.jobs import TooManyJobs
from doceo.app.store.pages import Cursor
from doceo.core.jobs import Job


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"sqlite:///{tmp_path / 'jobs.sqlite'}")


def entries(store: Store) -> list[tuple[str, str]]:
    with store.database.reading() as connection:
        found = connection.execute(text("SELECT workflow_uuid, queue_name FROM workflow_status ORDER BY 1"))
        return [(row[0].rpartition(".")[2], row[1]) for row in found]


def test_files_are_checked_in_the_quick_queue_and_the_work_waits_in_the_other(store: Store) -> None:
    enqueue = Queue(store.database).opened()
    job = store.jobs.create("ann", "fine_tuning", {}, enqueue, status="validating_files")
    assert store.jobs.counts() == {("fine_tuning", "queued"): 1}
    for entry in (1, 2):  # the first worker ends before it has come to a result
        taken = store.leases.take(job.id, entry, "w")
        assert taken is not None
        assert taken.status == "validating_files"
        assert store.jobs.counts() == {("fine_tuning", "validating_files"): 1}
        store.leases.release(taken, enqueue, [News(message="checked")] if entry == 2 else (), checked=entry == 2)
    waiting = store.jobs.get("ann", job.id, "fine_tuning")
    assert (waiting.status, waiting.worker, waiting.entry, waiting.started) == ("queued", "", 3, None)
    assert entries(store) == [("1", "quick-1"), ("2", "quick-1"), ("3", "jobs-1")]
    assert [event.message for event in store.job_events.page("ann", job.id)] == ["checked"]
    taken = store.leases.take(job.id, 3, "w")
    assert taken is not None
    assert taken.status == "running"
    assert store.jobs.get("ann", job.id, "fine_tuning").started is not None


def nowhere(connection: Connection, job: Job) -> None:
    """A queue that keeps nothing."""


def test_an_owner_has_only_so_many_jobs_that_have_not_ended(store: Store) -> None:
    def ask(owner: str = "ann", key: str | None = None) -> Job:
        return store.jobs.create(owner, "generation", {}, nowhere, key=key, most=2)

    store.jobs.create("ann", "indexing", {}, nowhere)
    first, _ = ask(key="k"), ask()
    with pytest.raises(TooManyJobs):
        ask()
    assert len(store.jobs.page("ann", "generation", Cursor()).data) == 2
    assert ask(key="k").id == first.id
    ask("bob")
    store.jobs.cancel("ann", first.id, "")
    ask()
