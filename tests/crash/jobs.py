"""A service's jobs in processes that are killed: what the crash tests of jobs and their benchmark share."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import psutil

from doceo.app.assistants import Assistants
from doceo.app.host import Host
from doceo.app.settings import Settings
from doceo.core.jobs import Job, JobKind
from doceo.core.progress import Silent

ROOT = Path(__file__).resolve().parents[2]
Victim = Literal["server", "worker", "child"]
TIMED = {"manifest.json", "finetuning.json", "training.jsonl", "README.md", "card.md", "data.json"}
"""Files that hold times, or the ids of uploaded files."""
TUNING = {"hyperparameters": {"n_epochs": 8}, "lora": {"save_steps": 4}}
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
"""Requests to the teacher at once."""
CHILDREN = ("finetune", "ingest", "generate", "export")


class Place:
    """The home of a service, with one job in it.

    Args:
        folder: Where it is; `runs` in it is the home.
        database: The address of its database; left out, a file.
        settings: Further settings of all its processes.
    """

    def __init__(self, folder: Path, database: str = "", **settings: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.database = database or f"sqlite:///{folder / 'kept.sqlite'}"
        self._variables = {f"DOCEO_{name.upper()}": value for name, value in settings.items()}
        plain = {name: value for name, value in settings.items() if "__" not in name}
        chosen = Settings(database_url=self.database, model="quote", **plain)  # type: ignore[arg-type]
        self.host = Host(chosen, Assistants(chosen, Silent()), folder / "runs")
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, *verb: str) -> subprocess.Popen[bytes]:
        """Start `doceo serve` or `doceo worker`; what they say goes to `log`."""
        return self.run("-m", "doceo", *verb)

    def run(self, *arguments: str, modules: Path | None = None) -> subprocess.Popen[bytes]:
        """Start Python as the service's processes run, with modules that come before the program's own."""
        env = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(str(place) for place in (modules, ROOT) if place),
            "OMP_NUM_THREADS": "1",
            "DOCEO_DATABASE_URL": self.database,
            **self._variables,
        }
        with (self.folder / "log").open("ab") as log:
            command = [sys.executable, *arguments]
            process = subprocess.Popen(command, cwd=self.folder, env=env, stdout=log, stderr=log)
        self.processes.append(process)
        return process

    def serve(self) -> subprocess.Popen[bytes]:
        """Start a service with a worker of its own."""
        return self.start("serve", "--model", "doceo-5m", "--port", "0")

    def make(self, kind: JobKind, spec: dict[str, Any]) -> str:
        """Make a job and return its id."""
        return self.host.store.jobs.create("local", kind, spec, self.host.queue.opened()).id

    def put(self, path: Path, purpose: str = "fine-tune") -> str:
        """Upload a file and return its id."""
        return self.host.uploads.put("local", path, path.name, purpose).id

    def job(self, job: str, kind: JobKind) -> Job:
        """Return a job as it is."""
        return self.host.store.jobs.get("local", job, kind)

    def wait(self, job: str, kind: JobKind, seconds: float = 600.0) -> Job:
        """Wait for a job's end and return it."""
        end = time.monotonic() + seconds
        while not (found := self.job(job, kind)).ended:
            assert time.monotonic() < end, f"{found}\n{self.said()}"
            time.sleep(0.1)
        return found

    def said(self) -> str:
        """Return what the processes said."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")[-3000:]

    def victims(self, process: subprocess.Popen[bytes], victim: Victim) -> list[psutil.Process]:
        """Return the processes that a name stands for, below and with one that was started."""
        try:
            above = psutil.Process(process.pid)
            every = [above, *above.children(recursive=True)]
            return [one for one in every if _role(one.cmdline()) == victim]
        except psutil.NoSuchProcess:
            return []

    def close(self) -> None:
        """End everything."""
        for process in self.processes:
            if process.poll() is None:
                process.terminate()
        for process in self.processes:
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.host.store.close()


def _role(command: Sequence[str]) -> str:
    words = [word for word in command if word in ("serve", "worker", *CHILDREN)]
    return {"serve": "server", "worker": "worker"}.get(words[0], "child") if words else ""


def kill(place: Place, process: subprocess.Popen[bytes], victim: Victim, seconds: float) -> bool:
    """Kill a victim after so many seconds, or as soon as there is one; return whether there was one in time."""
    time.sleep(seconds)
    end = time.monotonic() + 20
    while time.monotonic() < end:
        for found in place.victims(process, victim):
            try:
                found.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:
                continue
            return True
        time.sleep(0.02)
    return False


def content(folder: Path) -> dict[str, str]:
    """Return the hash of every file that has to come out the same."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in TIMED
    }


def rows_file(folder: Path, count: int = 48) -> Path:
    """Write rows to tune on."""
    path = folder / "rows.jsonl"
    chats = (
        {"messages": [{"role": "user", "content": f"What is {n}?"}, {"role": "assistant", "content": f"It is {n}."}]}
        for n in range(count)
    )
    path.write_text("".join(json.dumps(chat) + "\n" for chat in chats), encoding="utf-8")
    return path


def disturbed(place: Place, job: str, kind: JobKind, victim: Victim, draw: random.Random, span: float) -> Job:
    """Run a job with a service that is killed once at a random moment of `span` seconds, and started again.

    Returns the job as it ended.
    """
    process = place.serve()
    began = time.monotonic()
    while place.job(job, kind).started is None:
        assert time.monotonic() - began < 120, place.said()
        time.sleep(0.05)
    kill(place, process, victim, draw.uniform(0, span))
    if victim == "server":
        process.wait()
        place.serve()
    return place.wait(job, kind)


def steps_told(place: Place, job: str) -> list[int]:
    """Return the training steps of a job's events, in their order."""
    events = place.host.store.job_events.page("local", job, limit=10_000, oldest_first=True)
    return [event.data["step"] for event in events if event.data and "train_loss" in event.data]
