"""Jobs of the service while server, worker and command are killed (SIGKILL), against jobs that nothing happened to.

    python benchmarks/bench_jobs.py [fine_tuning generation] [--kills N] [--seed S]

For each kind a service does a job undisturbed; then, N times, another service does the same job and one of its three
processes is killed at a drawn moment of the time that the undisturbed job took. Nothing else is done but what a
supervisor does: a killed server is started again. Counted are the jobs that finish, those whose files equal the
undisturbed job's, those that tell each training step once, and the requests to the teacher beyond the undisturbed
job's: at most those in flight can be repeated. The teacher of the generation job is a server that answers by a rule.
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
from pathlib import Path
from typing import Any, get_args

from record import ROOT, save

sys.path.append(str(ROOT))

from doceo.core.jobs import JobKind
from tests.conftest import DOCUMENTS
from tests.crash.jobs import (
    GENERATION,
    IN_FLIGHT,
    TUNING,
    Place,
    Victim,
    content,
    disturbed,
    rows_file,
    steps_told,
)

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


def measure(kind: JobKind, kills: int, seed: int, teacher: Teacher) -> dict[str, Any]:
    """Return what came of the kills of one kind of job."""
    settings = {"teacher": "openai:m", "base_url": teacher.address, "engine__concurrency": str(IN_FLIGHT)}
    draw, lines = random.Random(seed), []
    with tempfile.TemporaryDirectory() as root:
        whole = Place(Path(root) / "whole", **settings)
        job, before = made(kind, whole), teacher.seen()
        whole.serve()
        done = whole.wait(job, kind)
        span = (done.finished or 0) - (done.started or 0)
        files, paid, told = files_of(kind, whole, job), teacher.seen() - before, steps_told(whole, job)
        whole.close()
        for number in range(kills):
            place = Place(Path(root) / str(number), **settings)
            victim: Victim = draw.choice(get_args(Victim))
            job, before, begun = made(kind, place), teacher.seen(), time.monotonic()
            ended = disturbed(place, job, kind, victim, draw, span)
            line = {
                "victim": victim,
                "status": ended.status,
                "same_files": files_of(kind, place, job) == files,
                "each_step_once": steps_told(place, job) == told,
                "requests_more": teacher.seen() - before - paid,
                "turns": ended.lease,
                "seconds": round(time.monotonic() - begun, 1),
            }
            print(kind, number + 1, line, flush=True)
            lines.append(line)
            place.close()
    return {
        "kills": kills,
        "seed": seed,
        "finished": sum(line["status"] == "succeeded" for line in lines),
        "same_files": sum(bool(line["same_files"]) for line in lines),
        "each_step_once": sum(bool(line["each_step_once"]) for line in lines),
        "most_requests_more": max(int(line["requests_more"]) for line in lines),
        "in_flight": IN_FLIGHT,
        "undisturbed_seconds": round(span, 1),
        "runs": lines,
    }


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description="Kill a service's processes while it does jobs.")
    parser.add_argument("kinds", nargs="*", default=["fine_tuning", "generation"])
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    teacher = Teacher()
    try:
        save("jobs", {kind: measure(kind, asked.kills, asked.seed, teacher) for kind in asked.kinds}, PACKAGES)
    finally:
        teacher.close()


if __name__ == "__main__":
    main()
