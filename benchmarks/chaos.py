"""A fine-tuning and a generation job while something is killed every twenty seconds; the files of undisturbed ones.

    make chaos                                       # or: python benchmarks/chaos.py [--every SECONDS] [--seed S]

Server, worker or the job's own command is killed with SIGKILL, whichever is drawn; a killed server is started again, as
a supervisor would. Ends with 1 where a job did not finish or a file differs.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from typing import get_args

from bench_jobs import Teacher, files_of, made
from record import ROOT

sys.path.append(str(ROOT))

from doceo.core.jobs import JobKind
from tests.crash.jobs import GENERATION, TUNING, Place, Victim, kill

KINDS: tuple[JobKind, ...] = ("fine_tuning", "generation")
TUNING["hyperparameters"] = {"n_epochs": 60}
TUNING["lora"] = {"save_steps": 20}
GENERATION["generate"] = {**GENERATION["generate"], "pairs": 40}


def undisturbed(place: Place) -> dict[str, dict[str, str]]:
    """Return the hashes of the files of each job, by kind."""
    jobs = {kind: made(kind, place) for kind in KINDS}
    place.serve()
    for kind, job in jobs.items():
        place.wait(job, kind)
    return {kind: files_of(kind, place, job) for kind, job in jobs.items()}


def disturbed(place: Place, every: float, draw: random.Random) -> tuple[dict[str, dict[str, str]], Counter[str]]:
    """Return the same of jobs that are not left in peace, and how often what was killed."""
    jobs = {kind: made(kind, place) for kind in KINDS}
    server, kills = place.serve(), Counter[str]()
    while not all(place.job(job, kind).ended for kind, job in jobs.items()):
        victim: Victim = draw.choice(get_args(Victim))
        if kill(place, server, victim, every):
            kills[victim] += 1
            print(f"killed the {victim}", {kind: place.job(job, kind).status for kind, job in jobs.items()}, flush=True)
        if server.poll() is not None:
            server = place.serve()
    return {kind: files_of(kind, place, job) for kind, job in jobs.items()}, kills


def main() -> None:
    """Run both and compare."""
    parser = argparse.ArgumentParser(description="Kill something now and then while jobs run.")
    parser.add_argument("--every", type=float, default=20.0, help="seconds between two kills")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    with ExitStack() as ends, tempfile.TemporaryDirectory() as root:
        teacher = Teacher(1.0)
        ends.callback(teacher.close)
        settings = {"teacher": "openai:m", "base_url": teacher.address, "engine__concurrency": "2"}
        places = [Place(Path(root) / name, **settings) for name in ("whole", "torn")]
        for place in places:
            ends.callback(place.close)
        begun = time.monotonic()
        whole = undisturbed(places[0])
        middle = time.monotonic()
        torn, kills = disturbed(places[1], asked.every, random.Random(asked.seed))
        print(f"{middle - begun:.0f} s undisturbed, {time.monotonic() - middle:.0f} s with {dict(kills)} killed.")
        ends.close()
    for kind in KINDS:
        differ = sorted(name for name in whole[kind] | torn[kind] if whole[kind].get(name) != torn[kind].get(name))
        print(f"{kind}: {len(whole[kind])} files, {f'these differ: {differ}' if differ else 'all the same'}")
    sys.exit(0 if whole == torn and all(whole.values()) else 1)


if __name__ == "__main__":
    main()
