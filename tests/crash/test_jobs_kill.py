"""Jobs outlive whatever of the service is killed: the same files, nothing told or paid twice."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest
from sqlalchemy import select

from doceo.app.store.service_tables import workers
from doceo.core.jobs import JobKind
from tests.crash.jobs import (
    GENERATION,
    IN_FLIGHT,
    TUNING,
    Place,
    Victim,
    content,
    disturbed,
    kill,
    rows_file,
    steps_told,
)
from tests.postgres import PostgresServer, postgres_server

pytestmark = [pytest.mark.crash, pytest.mark.timeout(900)]

STEPS = 48


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


class Whole(NamedTuple):
    """What a job came to that nothing happened to; seconds are those that it took, `paid` its requests."""

    files: list[dict[str, str]]
    seconds: float
    paid: int = 0


def finished(place: Place, job: str, kind: JobKind) -> float:
    done = place.wait(job, kind)
    assert done.status == "succeeded", (done, place.said())
    return (done.finished or 0) - (done.started or 0)


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    place = Place(tmp_path_factory.mktemp("tuned"))
    try:
        job = tuning(place)
        place.serve()
        seconds = finished(place, job, "fine_tuning")
        return Whole([adapter(place, job)], seconds)
    finally:
        place.close()


@pytest.mark.parametrize(("seed", "victim"), [(1, "server"), (2, "worker"), (3, "child")])
def test_a_fine_tuning_job_ends_the_same(places: Callable[..., Place], tuned: Whole, seed: int, victim: Victim) -> None:
    place = places("cut")
    job = tuning(place)
    done = disturbed(place, job, "fine_tuning", victim, random.Random(seed), tuned.seconds)
    assert done.status == "succeeded", (done, place.said())
    assert [adapter(place, job)] == tuned.files
    assert steps_told(place, job) == list(range(1, STEPS + 1))
    # the model, and those after its last passes
    assert len(place.host.store.models.all("local")) == 4


def generated(place: Place, job: str) -> list[dict[str, str]]:
    folder = place.host.jobs / job
    return [content(folder / part) for part in ("run/3-pairs", "run/4-dataset", "exports")]


@pytest.mark.parametrize(("seed", "victim"), [(1, "worker"), (2, "child")])
def test_a_generation_job_pays_nothing_twice(
    places: Callable[..., Place], teacher: Callable[[float], Any], library: Path, seed: int, victim: Victim
) -> None:
    server = teacher(0.15)
    settings = {"teacher": "openai:m", "base_url": server.address, "engine__concurrency": str(IN_FLIGHT)}

    def asked(name: str) -> tuple[Place, str]:
        place = places(name, **settings)
        files = [place.put(path, "user_data") for path in sorted(library.iterdir())]
        return place, place.make("generation", {"files": files, **GENERATION})

    place, job = asked("whole")
    place.serve()
    seconds = finished(place, job, "generation")
    whole = Whole(generated(place, job), seconds, server.seen())
    place.close()
    place, job = asked("cut")
    done = disturbed(place, job, "generation", victim, random.Random(seed), seconds)
    assert done.status == "succeeded", (done, place.said())
    assert generated(place, job) == whole.files
    assert server.seen() <= 2 * whole.paid + IN_FLIGHT


TAKES_TIME = """
import sys
import time
from doceo.app.jobs.executor import Executor
from doceo.cli.main import main
recover = Executor.recover
def late(self, workers):
    time.sleep(4)
    recover(self, workers)
Executor.recover = late
sys.argv = ["doceo", "worker"]
main()
"""
"""A worker that has claimed the jobs of a dead one for some seconds before it puts them back into the queue."""


def taken_from(place: Place, worker: str) -> bool:
    with place.host.store.database.reading() as connection:
        return bool(connection.scalar(select(workers.c.taken_by).where(workers.c.id == worker)))


def test_of_two_workers_one_is_killed_and_never_comes_back(
    places: Callable[..., Place], postgres: PostgresServer
) -> None:
    """Its job is taken over after a minute; PostgreSQL is restarted in the middle of that."""
    place = places("two", postgres.empty())
    job = tuning(place, hyperparameters={"n_epochs": 20})
    first = place.start("worker")
    while len(steps_told(place, job)) < 6:
        time.sleep(0.05)
    holder, turns = place.job(job, "fine_tuning").worker, place.job(job, "fine_tuning").lease
    other = place.run("-c", TAKES_TIME)
    while len(place.host.store.workers.alive()) < 2:
        time.sleep(0.05)
    assert kill(place, first, "worker", 0)
    killed = time.monotonic()
    first.wait()
    time.sleep(45)
    waiting = place.job(job, "fine_tuning")
    assert (waiting.status, waiting.worker, waiting.lease) == ("running", holder, turns)
    while not taken_from(place, holder):
        assert time.monotonic() - killed < 90
        time.sleep(0.1)
    waiting = place.job(job, "fine_tuning")
    assert (waiting.status, waiting.worker, waiting.lease) == ("queued", "", turns)
    postgres.stop()
    time.sleep(6)
    postgres.start()
    done = place.wait(job, "fine_tuning")
    assert done.status == "succeeded", (done, place.said())
    assert time.monotonic() - killed > 55
    assert done.lease == turns + 1
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
import doceo.core.config as config
import doceo.core.config.models as models
import doceo.core.jobs as jobs
from pydantic import create_model

jobs.SCHEMA = 2
newer = create_model("FinetuneConfig", __base__=models.FinetuneConfig, novelty=(int, 1), batch_size=(int, 4))
config.FinetuneConfig = models.FinetuneConfig = newer
"""
"""What every process of a newer program begins with: it has one more setting, and another default."""


def test_a_newer_program_does_the_jobs_that_wait(places: Callable[..., Place], tuned: Whole) -> None:
    place = places("upgraded")
    job = tuning(place)
    old = place.start("worker")
    while len(steps_told(place, job)) < 6:
        time.sleep(0.05)
    old.kill()
    old.wait()
    waiting = tuning(place, hyperparameters={"n_epochs": 1})
    modules = place.folder / "newer"
    modules.mkdir()
    (modules / "sitecustomize.py").write_text(NEWER, encoding="utf-8")
    place.run("-m", "doceo", "worker", modules=modules)
    for one in (job, waiting):
        assert place.wait(one, "fine_tuning").status == "succeeded", place.said()
    # the one that was begun goes on as it was, the one that waited has what is usual now
    assert [adapter(place, job)] == tuned.files
    assert steps_told(place, job) == list(range(1, STEPS + 1))
    said = place.host.store.job_events.messages(job)
    assert any(words.startswith("Going on after step") for words in said)
    assert steps_told(place, waiting) == list(range(1, 48 // 4 + 1))
