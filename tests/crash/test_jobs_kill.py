"""Jobs outlive whatever of the service is killed: the same files, nothing told or paid twice."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.crash.jobs import Place, Victim, content, disturbed, kill, rows_file, steps_told
from tests.postgres import PostgresServer, postgres_server

pytestmark = pytest.mark.crash

TUNING = {"hyperparameters": {"n_epochs": 8}, "lora": {"save_steps": 4}}
STEPS = 48
GENERATION = {
    "teacher": "openai:m",
    "generate": {
        "pairs": 24,
        "topics": 0,
        "kinds": {"fact": 0},
        "gates": ["form", "exact", "near", "grounding"],
        "per_request": 2,
    },
    "formats": ["csv"],
}
IN_FLIGHT = 2


@pytest.fixture
def places(tmp_path: Path) -> Iterator[Callable[..., Place]]:
    made: list[Place] = []

    def make(name: str, database: str = "", **settings: str) -> Place:
        made.append(Place(tmp_path / name, database, **settings))
        return made[-1]

    yield make
    for place in made:
        place.close()


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


def tuning(place: Place, **changes: Any) -> str:
    file = place.put(rows_file(place.folder))
    spec = {"model": "doceo-5m", "base": "doceo-5m", "training_file": file, **TUNING, **changes}
    return place.make("fine_tuning", spec)


def adapter(place: Place, job: str) -> dict[str, str]:
    return content(place.host.jobs / job / "adapter")


@pytest.mark.parametrize(("seed", "victim"), [(1, "server"), (2, "worker"), (3, "child")])
def test_a_fine_tuning_job_ends_the_same(places: Callable[..., Place], seed: int, victim: Victim) -> None:
    whole = places("whole")
    undisturbed = tuning(whole)
    whole.serve()
    done = whole.wait(undisturbed, "fine_tuning")
    assert done.status == "succeeded", done
    cut = places("cut")
    job = tuning(cut)
    span = (done.finished or 0) - (done.started or 0)
    again = disturbed(cut, job, "fine_tuning", victim, random.Random(seed), span)
    assert again.status == "succeeded", (again, cut.said())
    assert adapter(cut, job) == adapter(whole, undisturbed)
    assert steps_told(cut, job) == list(range(1, STEPS + 1))
    assert len(cut.host.store.models.all("local")) == len(whole.host.store.models.all("local"))


@pytest.mark.parametrize(("seed", "victim"), [(1, "worker"), (2, "child")])
def test_a_generation_job_pays_nothing_twice(
    places: Callable[..., Place], teacher: Callable[[float], Any], library: Path, seed: int, victim: Victim
) -> None:
    runs, paid, server = [], [], teacher(0.15)
    for name in ("whole", "cut"):
        settings = {"teacher": "openai:m", "base_url": server.address, "engine__concurrency": str(IN_FLIGHT)}
        place = places(name, **settings)
        files = [place.put(path, "user_data") for path in sorted(library.iterdir())]
        job, before = place.make("generation", {"files": files, **GENERATION}), server.seen()
        if name == "whole":
            place.serve()
            done = place.wait(job, "generation")
            span = (done.finished or 0) - (done.started or 0)
        else:
            done = disturbed(place, job, "generation", victim, random.Random(seed), span)
        assert done.status == "succeeded", (done, place.said())
        paid.append(server.seen() - before)
        folder = place.host.jobs / job
        runs.append(
            [content(folder / "run" / "3-pairs"), content(folder / "run" / "4-dataset"), content(folder / "exports")]
        )
    assert runs[0] == runs[1]
    assert paid[1] <= paid[0] + IN_FLIGHT, paid


def test_of_two_workers_one_is_killed_and_never_comes_back(
    places: Callable[..., Place], postgres: PostgresServer
) -> None:
    """Its job is taken over after a minute; PostgreSQL is restarted meanwhile."""
    place = places("two", postgres.empty())
    job = tuning(place, hyperparameters={"n_epochs": 20})
    first = place.start("worker")
    while len(steps_told(place, job)) < 6:
        time.sleep(0.05)
    holder = place.job(job, "fine_tuning").worker
    other = place.start("worker")
    while len(place.host.store.workers.alive()) < 2:
        time.sleep(0.05)
    assert kill(place, first, "worker", 0)
    killed = time.monotonic()
    first.wait()
    time.sleep(45)
    waiting = place.job(job, "fine_tuning")
    assert (waiting.status, waiting.worker, waiting.lease) == ("running", holder, 1)
    postgres.stop()
    time.sleep(3)
    postgres.start()
    done = place.wait(job, "fine_tuning")
    assert done.status == "succeeded", (done, place.said())
    assert time.monotonic() - killed > 55
    assert done.lease == 2
    assert steps_told(place, job) == list(range(1, 20 * STEPS // 8 + 1))
    assert other.poll() is None
    assert len(place.host.store.workers.alive()) == 1


def test_a_frozen_worker_has_no_children_left_when_it_is_taken_over(
    places: Callable[..., Place], postgres: PostgresServer
) -> None:
    place = places("frozen", postgres.empty())
    job = tuning(place, hyperparameters={"n_epochs": 40})
    first = place.start("worker")
    while not steps_told(place, job):
        time.sleep(0.05)
    place.start("worker")
    (child,) = place.victims(first, "child")
    first.send_signal(signal.SIGSTOP)
    frozen = time.monotonic()
    # nobody is there to take note of its end
    while child.status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() - frozen < 40
        time.sleep(0.1)
    while place.job(job, "fine_tuning").lease == 1:
        time.sleep(0.2)
    first.send_signal(signal.SIGCONT)
    assert first.wait(30) == 75
    assert place.wait(job, "fine_tuning", 400).status == "succeeded"
    told = steps_told(place, job)
    assert told == sorted(set(told))


NEWER = """
import doceo.core.jobs as jobs
jobs.SCHEMA = 2
from doceo.cli.main import main
import sys
sys.argv = ["doceo", "worker"]
main()
"""


def test_a_newer_program_does_the_jobs_that_wait(places: Callable[..., Place]) -> None:
    place = places("upgraded")
    job = tuning(place)
    old = place.start("worker")
    while not steps_told(place, job):
        time.sleep(0.05)
    old.kill()
    old.wait()
    waiting = tuning(place, hyperparameters={"n_epochs": 1})
    place.run("-c", NEWER)
    for one in (job, waiting):
        assert place.wait(one, "fine_tuning").status == "succeeded", place.said()
