"""Jobs of the service while server, worker and command are killed (SIGKILL), against jobs that nothing happened to.

    python benchmarks/bench_jobs.py [fine_tuning generation] [--kills N] [--for-good N]

For each kind a service does a job undisturbed; then, N times, another service does the same job and one of its three
processes is killed at a drawn moment of the time that the undisturbed job took. Nothing else is done but what a
supervisor does: a killed server is started again. Then, as often as `--for-good` says, two workers share a PostgreSQL
database, and the one that does the job is killed and never started again. Counted are the jobs that finish, those whose
files equal the undisturbed job's, those that tell each training step once, and the requests to the teacher beyond the
undisturbed job's: at most those in flight can be repeated. The teacher is a server that answers by a rule.
Writes benchmarks/results/jobs.json.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, get_args

from record import ROOT, save

sys.path.append(str(ROOT))

from doceo.core.jobs import Job, JobKind
from tests.conftest import DOCUMENTS
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

PACKAGES = ("doceo", "dbos", "torch", "transformers", "peft", "trl")


class Teacher:
    """The server that answers by a rule after so many seconds, in a process of its own."""

    def __init__(self, seconds: float = 0.15) -> None:
        script = ROOT / "tests" / "teacher_server.py"
        command = [sys.executable, "-S", str(script), str(seconds)]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        self.address = f"http://127.0.0.1:{int(self._process.stdout.readline())}/v1"

    def seen(self) -> int:
        """Return how many requests it has answered."""
        with urllib.request.urlopen(self.address, timeout=10) as reply:
            return int(reply.read().decode().split(":")[1].strip(" }"))

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


def made(kind: str, place: Place) -> str:
    """Make the job of a kind and return its id."""
    if kind == "fine_tuning":
        file = place.put(rows_file(place.folder))
        return place.make("fine_tuning", {"model": "doceo-5m", "base": "doceo-5m", "training_file": file, **TUNING})
    files = []
    for name, text in DOCUMENTS.items():
        path = place.folder / name
        path.write_text(text, encoding="utf-8")
        files.append(place.put(path, "user_data"))
    return place.make("generation", {"files": files, **GENERATION})


def files_of(kind: str, place: Place, job: str) -> dict[str, str]:
    """Return the hashes of what a job made."""
    folder = place.host.jobs / job
    if kind == "fine_tuning":
        return content(folder / "adapter")
    parts = (folder / "run" / "3-pairs", folder / "run" / "4-dataset", folder / "exports")
    return {f"{part.name}/{name}": digest for part in parts for name, digest in content(part).items()}


class Whole(NamedTuple):
    """What a job came to that nothing happened to: its files, seconds, requests to the teacher, and steps told."""

    files: dict[str, str]
    seconds: float
    paid: int
    told: list[int]


def undisturbed(kind: JobKind, folder: Path) -> Whole:
    """Do a job in peace."""
    with placed(folder) as (place, teacher):
        job = made(kind, place)
        place.serve()
        done = place.wait(job, kind)
        seconds = (done.finished or 0) - (done.started or 0)
        return Whole(files_of(kind, place, job), seconds, teacher.seen(), steps_told(place, job))


@contextmanager
def placed(folder: Path, database: str = "") -> Iterator[tuple[Place, Teacher]]:
    """Give the home of a service with a teacher of its own."""
    with closing(Teacher()) as teacher:
        settings = {"teacher": "openai:m", "base_url": teacher.address, "engine__concurrency": str(IN_FLIGHT)}
        with closing(Place(folder, database, **settings)) as place:
            yield place, teacher


def killed(kind: JobKind, folder: Path, whole: Whole, draw: random.Random, database: str = "") -> dict[str, Any]:
    """Do a job and kill one process at a drawn moment; with a database of its own, one of two workers, for good."""
    with placed(folder, database) as (place, teacher):
        begun = time.monotonic()
        if database:
            victim: Victim = "worker"
            job, ended = left_to_another(kind, place, draw, whole.seconds)
        else:
            victim, job = draw.choice(get_args(Victim)), made(kind, place)
            ended = disturbed(place, job, kind, victim, draw, whole.seconds)
        return {
            "victim": victim,
            "status": ended.status,
            "same_files": files_of(kind, place, job) == whole.files,
            "each_step_once": steps_told(place, job) == whole.told,
            "requests_more": teacher.seen() - whole.paid,
            "turns": ended.lease,
            "seconds": round(time.monotonic() - begun, 1),
        }


def left_to_another(kind: JobKind, place: Place, draw: random.Random, span: float) -> tuple[str, Job]:
    """Do a job with two workers, and kill the one that has it at a moment of `span` seconds, for good."""
    workers = []
    for number in (1, 2):  # one after the other: what starts where another died on the same machine would go on as it
        workers.append(place.start("worker"))
        while len(place.host.store.workers.alive()) < number:
            time.sleep(0.05)
    job, began = made(kind, place), time.monotonic()
    while not (holders := [one for one in workers if place.victims(one, "child")]):
        assert time.monotonic() - began < 180, place.said()
        time.sleep(0.05)
    kill(place, holders[0], "worker", draw.uniform(0, span))
    holders[0].wait()
    return job, place.wait(job, kind)


def summed(kills: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return how many kills went well, and each."""
    return {
        "kills": len(kills),
        "finished": sum(line["status"] == "succeeded" for line in kills),
        "same_files": sum(bool(line["same_files"]) for line in kills),
        "each_step_once": sum(bool(line["each_step_once"]) for line in kills),
        "most_requests_more": max(int(line["requests_more"]) for line in kills),
        "runs": list(kills),
    }


def measure(kind: JobKind, asked: argparse.Namespace, server: PostgresServer) -> None:
    """Kill jobs of one kind, and write what came of it."""
    with tempfile.TemporaryDirectory() as root:
        whole = undisturbed(kind, Path(root) / "whole")

        def one(number: int, *, for_good: bool) -> dict[str, Any]:
            folder = Path(root) / f"{'for_good' if for_good else 'once'}{number}"
            draw = random.Random(f"{asked.seed} {for_good} {number}")
            line = killed(kind, folder, whole, draw, server.another(f"{kind}{number}") if for_good else "")
            print(kind, folder.name, line, flush=True)
            return line

        for name, tries in (("started again", asked.kills), ("for good", asked.for_good)):
            with ThreadPoolExecutor(asked.at_once) as pool:
                runs = list(pool.map(partial(one, for_good=name == "for good"), range(tries)))
            job = {"seconds": round(whole.seconds, 1), "requests": whole.paid, "in_flight": IN_FLIGHT}
            save("jobs", {f"{kind}, {name}": {"seed": asked.seed, "undisturbed": job, **summed(runs)}}, PACKAGES)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description="Kill a service's processes while it does jobs.")
    parser.add_argument("kinds", nargs="*", default=["fine_tuning", "generation"])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--for-good", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--at-once", type=int, default=4, help="services that run side by side")
    asked = parser.parse_args()
    with postgres_server() as server:
        for kind in asked.kinds:
            measure(kind, asked, server)


if __name__ == "__main__":
    main()
