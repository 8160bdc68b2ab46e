"""One worker's turn at a job: its commands, one after the other, each until it ends by itself."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from data.disk import disk_errors
from doceo.app.host import FILES, JOBS
from doceo.app.jobs.child import Child, End
from doceo.app.jobs.children import Children
from doceo.app.jobs.ends import killed_by_kernel, oom_kills, reason
from doceo.app.jobs.kind import JobFailed, Kind, Outcome, Output, Step, Work, failure
from doceo.app.jobs.outage import outlast
from doceo.app.jobs.telling import Teller
from doceo.app.store.job_events import News
from doceo.app.store.job_leases import LeaseLost
from doceo.app.store.job_rows import LAID_ASIDE
from doceo.app.tunable import tunable
from doceo.core import lease
from doceo.core.errors import DoceoError, StorageError
from doceo.core.jobs import JobError, JobStatus
from doceo.providers.shipped_model import NAME, shipped_folder

_POLL = 0.25
_TELL = 1.0
"""Seconds between two reports to the database."""
_GRACE = 120.0
"""Seconds that a command has for its checkpoint after it was asked to stop."""
_KILLS = 3
"""How often a command may be killed without having got any further since."""
_LOCKED = 120.0
"""Seconds that a command waits for one that still holds the lock of its folder."""
_LATELY = 5
"""Reports from a count of the kernel's kills to the end that one of them explains: large processes take a while."""
_FOR_EVER = float("inf")


class _Ended(Exception):
    """The turn is over: the job is cancelled, paused, or back in the queue."""


@dataclass(frozen=True)
class _Try:
    """How a command ended, what it told, and whether it had been asked to end, or the kernel ended it."""

    end: End
    teller: Teller
    asked: bool
    out_of_memory: bool


@dataclass
class Attempt:
    """A worker's turn at a job.

    Args:
        work: The job.
        kind: What it does.
        children: Where its commands are kept alive.
        stopping: Set when the worker ends.
    """

    work: Work
    kind: Kind
    children: Children
    stopping: threading.Event
    _unsaid: list[News] = field(default_factory=list, init=False)
    _early: bool = field(default=False, init=False)

    def run(self) -> None:
        """Do the job until it ends, is laid aside, or is another worker's. Raises nothing that is foreseen."""
        self._early = bool(self.kind.under_way)
        try:
            self._run()
        except (LeaseLost, _Ended):
            return

    def _run(self) -> None:
        self._heed()
        outcome, error = Outcome({}), None
        try:
            steps = outlast(self._begun)
            self._say_once(self.kind.began)
            outputs = [self._step(number, step) for number, step in enumerate(steps, 1)]
            outcome = outlast(lambda: self.kind.finish(self.work, outputs))
        except JobFailed as raised:
            error = raised.error
        except DoceoError as raised:
            error = failure(raised)
        if error is None and outcome.ready:
            self._queue(outcome)
            return
        if error is None:
            self._end("succeeded", outcome)
            return
        hidden = self._hidden(error)
        told = outlast(lambda: self.kind.failed(self.work, hidden, self._early), _FOR_EVER)
        self._end("failed", Outcome({}, (News(message=told.message, level="error"),)), told)

    def _begun(self) -> Sequence[Step]:
        with disk_errors(self.work.place):
            self.work.place.mkdir(parents=True, exist_ok=True, mode=0o700)
        return self.kind.begin(self.work)

    def _step(self, number: int, step: Step) -> Output:
        """Run a command until it has ended by itself, and return what it printed. Raises JobFailed, _Ended."""
        kills, locked_since = 0, None
        while True:
            self._heed()
            while not self.children.may_start:
                time.sleep(_POLL)
            tried = self._once(number, step)
            end = tried.end
            if end.code == 0 or (end.code == 3 and "error" not in end.output):
                return end.output
            self._heed()
            error = end.output.get("error") or {}
            if error.get("code") == "run_locked":
                locked_since = locked_since or time.monotonic()
                if time.monotonic() - locked_since < _LOCKED:
                    time.sleep(1.0)
                    continue
            if not (end.killed or end.stopped):
                raise JobFailed(reason(end))
            if tried.asked:
                # to be paused, perhaps, and resumed at once
                continue
            if tried.out_of_memory:
                raise JobFailed(JobError(code="out_of_memory", message=_OUT_OF_MEMORY))
            kills = 1 if tried.teller.got_further else kills + 1
            if kills >= _KILLS:
                raise JobFailed(JobError(code="killed", message=f"The job's process was killed {kills} times."))
            self._tell([News(message="The job's process was killed; it goes on from what is saved.", level="warn")])

    def _once(self, number: int, step: Step) -> _Try:
        job, store = self.work.job, self.work.host.store
        kernel = deque([oom_kills()], _LATELY)
        child = Child(step, self.work.place, number, self.work.host.settings)
        with self.children.keeping(child):
            said = outlast(lambda: store.job_events.messages(job.id))
            measured = outlast(lambda: store.job_events.metrics(job.id))
            teller = Teller(child.log, step.training, said, measured)
            asked, told = None, 0.0
            while child.running():
                time.sleep(_POLL)
                now = time.monotonic()
                if now - told < _TELL:
                    continue
                told = now
                kernel.append(oom_kills())
                wished = self._pass_on(teller)
                if asked is None and (wished or self.stopping.is_set()):
                    asked = now
                    child.stop()
                elif asked is not None and now - asked > _GRACE:
                    child.kill()
            end, in_time = child.ended(), lease.now() - self.children.beaten < lease.SECONDS
            # memory is the whole machine's, and a child without a lease has ended itself
            out_of_memory = end.killed and in_time and killed_by_kernel(kernel[0])
            self._pass_on(teller)
        return _Try(end, teller, asked is not None, out_of_memory)

    def _pass_on(self, teller: Teller) -> bool:
        """Tell what is new and return whether the owner wants the job to stop. Raises LeaseLost.

        What cannot be told because the database is away is told later.
        """
        leases, job = self.work.host.store.leases, self.work.job
        self._unsaid += map(self._shown, teller.news())
        self._early = self._early and self.kind.under_way not in teller.tasks
        try:
            if self._unsaid:
                finish = None if teller.left is None else self.work.host.store.clock() + teller.left
                leases.report(job, self._unsaid, estimated_finish=finish)
                self._unsaid.clear()
            return bool(leases.wanted(job))
        except StorageError:
            return False

    def _heed(self) -> None:
        """Do what the job's owner wants of it, or what the worker's end asks for. Raises _Ended, LeaseLost."""
        job, leases = self.work.job, self.work.host.store.leases
        wanted = outlast(lambda: leases.wanted(job))
        if wanted:
            status, words = LAID_ASIDE[wanted]
            self._end(status, Outcome(job.result, (News(message=words),)))
            raise _Ended
        if self.stopping.is_set():
            outlast(lambda: leases.release(job, self.work.host.queue.opened()))
            raise _Ended

    def _queue(self, outcome: Outcome) -> None:
        """Have the job wait for its work. Raises _Ended, LeaseLost."""
        self._heed()
        news = [*self._unsaid, *map(self._shown, outcome.news)]
        leases, queue = self.work.host.store.leases, self.work.host.queue
        outlast(lambda: leases.release(self.work.job, queue.opened(), news, checked=True), _FOR_EVER)

    def _end(self, status: JobStatus, outcome: Outcome, error: JobError | None = None) -> None:
        words = [News(message="The job has been successfully completed")] if status == "succeeded" else []
        news = [*self._unsaid, *map(self._shown, outcome.news), *words]
        leases, job = self.work.host.store.leases, self.work.job
        # Without a known end a job would hang for ever.
        outlast(lambda: leases.end(job, status, news, result=outcome.result, error=error), _FOR_EVER)

    def _say_once(self, words: str) -> None:
        store, job = self.work.host.store, self.work.job
        if words not in outlast(lambda: store.job_events.messages(job.id)):
            self._tell([News(message=words)])

    def _tell(self, news: Sequence[News]) -> None:
        leases, job = self.work.host.store.leases, self.work.job
        outlast(lambda: leases.report(job, news))

    def _hidden(self, error: JobError) -> JobError:
        return error.model_copy(update={"message": self._without_folders(error.message)})

    def _shown(self, news: News) -> News:
        return news.model_copy(update={"message": self._without_folders(news.message)})

    def _without_folders(self, words: str) -> str:
        """Return words in which folders of this machine have the names that clients know."""
        home = self.work.host.home
        for name, place in tunable(self.work.host.settings).items():
            folder = shipped_folder() if place == NAME else Path(place)
            words = words.replace(str(folder), name) if folder.is_absolute() else words
        for folder in (home.resolve(), home):
            for inner in (f"{FILES}/", f"{JOBS}/{self.work.job.id}/", ""):
                words = words.replace(f"{folder}/{inner}", "")
        return words


_OUT_OF_MEMORY = (
    "The memory was not enough: the system ended the job's process. Use shorter rows, a smaller batch or a smaller "
    "model; what was saved is kept."
)
