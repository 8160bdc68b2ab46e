"""Jobs that have ended can be deleted, with all that lies in their folder."""

from __future__ import annotations

from pathlib import Path

import openai
import pytest

from doceo.app.host import Host
from doceo.core.errors import NotFound
from doceo.service.housekeeping import DAY, sweep
from doceo.service.http import create_app
from tests.service.serving import client_of, host_in, serving


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return host_in(tmp_path / "runs")


def test_a_job_goes_with_its_folder_once_it_has_ended_and_its_model_is_gone(host: Host) -> None:
    with serving(create_app(host)) as address:
        client = client_of(address)
        file = client.files.create(file=("a.md", b"# A\n\nThe ferry opened in 1902."), purpose="assistants")
        body = {"files": [file.id], "pairs": 1}
        job = str(client.post("/generation/jobs", body=body, cast_to=dict[str, object])["id"])  # type: ignore[index]
        (host.jobs / job / "run").mkdir(parents=True)
        place = f"/generation/jobs/{job}"
        with pytest.raises(openai.ConflictError, match="Cancel it first"):
            client.delete(place, cast_to=dict[str, object])
        client.post(f"{place}/cancel", cast_to=object)
        model = host.store.models.add("local", "ft:m:local::1", base="m", folder=f"{job}/adapter", job=job)
        with pytest.raises(openai.ConflictError, match="ft:m:local::1"):
            client.delete(place, cast_to=dict[str, object])
        host.store.models.delete("local", model.id)
        gone = client.delete(place, cast_to=dict[str, object])
        assert gone == {"id": job, "object": "generation.job.deleted", "deleted": True}
        assert not (host.jobs / job).exists()
        for ask in (client.get, client.delete):
            with pytest.raises(openai.NotFoundError):
                ask(place, cast_to=object)  # type: ignore[operator]
        assert host.store.job_events.messages(job) == set()


def test_old_jobs_of_indexing_are_forgotten(host: Host) -> None:
    store = host.store.vector_stores.create("local", name="a")
    host.indexing.soon(store.id)
    (job,) = host.store.jobs.waiting("local", "indexing")
    (host.jobs / job.id).mkdir(parents=True)
    sweep(host)
    assert host.store.jobs.waiting("local", "indexing") == [job], "it waits"
    host.store.jobs.cancel("local", job.id, "cancelled")
    sweep(host)
    assert host.store.jobs.get("local", job.id, "indexing").ended
    assert host.store.jobs.prune("indexing", host.store.clock() + 1) == [job.id]
    with pytest.raises(NotFound):
        host.store.jobs.get("local", job.id, "indexing")


def test_what_could_not_be_taken_out_of_an_index_is_tried_again(host: Host) -> None:
    store = host.store.vector_stores.create("local", name="a").id
    with host.uploads.receiving() as incoming:
        incoming.write(b"The ferry opened in 1902.")
        file = host.uploads.keep(incoming, "local", "a.md", "assistants")
    host.store.attachments.add(store, [(file, {})])
    host.store.attachments.remove(store, file.id)
    host.indexing.soon(store)
    (job,) = host.store.jobs.waiting("local", "indexing")
    taken = host.store.leases.take(job.id, 1, "w")
    assert taken is not None
    host.store.leases.end(taken, "failed", [], result={})
    assert host.store.jobs.waiting("local", "indexing") == []
    for _ in range(2):
        sweep(host)
        assert len(host.store.jobs.waiting("local", "indexing")) == 1


def test_checkpoints_of_trainings_that_ended_long_ago_are_deleted(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    made = [host.store.jobs.create("local", "fine_tuning", {}, host.queue.opened()).id for _ in range(3)]
    work = [host.jobs / job / ".adapter.work" for job in made]
    for folder in work:
        folder.mkdir(parents=True)
    now = host.store.clock()
    monkeypatch.setattr(host.store.jobs, "_clock", lambda: now - 4 * DAY)
    host.store.jobs.cancel("local", made[0], "cancelled")
    monkeypatch.setattr(host.store.jobs, "_clock", lambda: now - 2 * DAY)
    host.store.jobs.cancel("local", made[1], "cancelled")
    sweep(host)
    assert [folder.exists() for folder in work] == [False, True, True]
    assert host.store.jobs.get("local", made[0], "fine_tuning").status == "cancelled"
