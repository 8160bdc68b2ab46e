"""One worker's turn at a job: its commands, one after the other, each until it ends by itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from doceo.app.jobs.child import Child, End
from doceo.app.jobs.children import Children
from doceo.app.jobs.ends import killed_by_kernel, oom_kills, reason
from doceo.app.jobs.kind import JobFailed, Kind, Outcome, Output, Step, Work, failure
from doceo.app.jobs.telling import Teller
from doceo.app.store.job_events import News
from doceo.app.store.job_leases import LeaseLost
from doceo.app.tunable import tunable
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
_AWAY = 60.0
"""Seconds after which a worker that cannot reach the database has ended."""
_LOCKED = 120.0
"""Seconds that a command waits for one that still holds the lock of its folder."""

T = TypeVar("T")


class _Ended(Exception):
    """The turn is over: the job is cancelled, paused, or back in the queue."""


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
    _validating: bool = field(default=False, init=False)

    def run(self) -> None:
        """Do the job until it ends, is laid aside, or is another worker's. Raises nothing that is foreseen."""
        self._validating = self.work.job.status == "validating_files"
        try:
            self._run()
        except (LeaseLost, _Ended):
            return

    def _run(self) -> None:
        self._heed()
        outcome, error = Outcome({}), None
        try:
            steps = self._insist(lambda: self.kind.begin(self.work))
            self._say_once(self.kind.began)
            outputs = [self._step(number, step) for number, step in enumerate(steps, 1)]
            outcome = self._insist(lambda: self.kind.finish(self.work, outputs))
        except JobFailed as raised:
            error = raised.error
        except DoceoError as raised:
            error = failure(raised)
        if error is None:
            self._end("succeeded", outcome)
            return
        told = self.kind.failed(self.work, self._hidden(error), self._validating)
        self._end("failed", Outcome({}, (News(message=told.message, level="error"),)), told)

    def _step(self, number: int, step: Step) -> Output:
        """Run a command until it has ended by itself, and return what it printed. Raises JobFailed, _Ended."""
        kills, locked_since = 0, None
        while True:
            self._heed()
            while not self.children.may_start:
                time.sleep(_POLL)
            kernel = oom_kills()
            teller, end = self._once(number, step)
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
            if end.killed and killed_by_kernel(kernel):
                raise JobFailed(JobError(code="out_of_memory", message=_OUT_OF_MEMORY))
            kills = 1 if teller.got_further else kills + 1
            if kills >= _KILLS:
                raise JobFailed(JobError(code="killed", message=f"The job's process was killed {kills} times."))
            self._tell([News(message="The job's process was killed; it goes on from what is saved.", level="warn")])

    def _once(self, number: int, step: Step) -> tuple[Teller, End]:
        job, store = self.work.job, self.work.host.store
        child = Child(step, self.work.place, number)
        with self.children.keeping(child):
            said = self._insist(lambda: store.job_events.messages(job.id))
            measured = self._insist(lambda: store.job_events.metrics(job.id))
            teller = Teller(child.log, step.training, said, measured)
            asked, told = None, 0.0
            while child.running():
                time.sleep(_POLL)
                now = time.monotonic()
                if now - told < _TELL:
                    continue
                told = now
                wished = self._pass_on(teller)
                if asked is None and (wished or self.stopping.is_set()):
                    asked = now
                    child.stop()
                elif asked is not None and now - asked > _GRACE:
                    child.kill()
            self._pass_on(teller)
        return teller, child.ended()

    def _pass_on(self, teller: Teller) -> bool:
        """Tell what is new and return whether the owner wants the job to stop. Raises LeaseLost.

        What cannot be told because the database is away is told later.
        """
        leases, job = self.work.host.store.leases, self.work.job
        status: JobStatus | None = None
        self._unsaid += map(self._shown, teller.news())
        if self._validating and self.kind.under_way in teller.tasks:
            self._validating, status = False, "running"
        try:
            if self._unsaid or status:
                finish = None if teller.left is None else self.work.host.store.clock() + teller.left
                leases.report(job, self._unsaid, status=status, estimated_finish=finish)
                self._unsaid.clear()
            return bool(leases.wanted(job))
        except StorageError:
            self._validating = self._validating or status is not None
            return False

    def _heed(self) -> None:
        """Do what the job's owner wants of it, or what the worker's end asks for. Raises _Ended, LeaseLost."""
        job, leases = self.work.job, self.work.host.store.leases
        wanted = self._insist(lambda: leases.wanted(job))
        if wanted:
            status: JobStatus = "cancelled" if wanted == "cancel" else "paused"
            words = "Job cancelled" if wanted == "cancel" else "Job paused; it goes on from what is saved when resumed"
            self._end(status, Outcome(job.result, (News(message=words),)))
            raise _Ended
        if self.stopping.is_set():
            enqueue = self.work.host.queue.opened()
            self._insist(lambda: leases.release(job, enqueue))
            raise _Ended

    def _end(self, status: JobStatus, outcome: Outcome, error: JobError | None = None) -> None:
        words = [News(message="The job has been successfully completed")] if status == "succeeded" else []
        news = [*self._unsaid, *map(self._shown, outcome.news), *words]
        leases, job = self.work.host.store.leases, self.work.job
        # Without a known end a job would hang for ever.
        self._insist(lambda: leases.end(job, status, news, result=outcome.result, error=error), float("inf"))

    def _say_once(self, words: str) -> None:
        store, job = self.work.host.store, self.work.job
        if words not in self._insist(lambda: store.job_events.messages(job.id)):
            self._tell([News(message=words)])

    def _tell(self, news: Sequence[News]) -> None:
        leases, job = self.work.host.store.leases, self.work.job
        self._insist(lambda: leases.report(job, news))

    def _insist(self, ask: Callable[[], T], seconds: float = _AWAY) -> T:
        """Ask again for as long as the database may be away: a worker that cannot reach it ends by itself.

        Raises StorageError where the reason is another.
        """
        until = time.monotonic() + seconds
        while True:
            try:
                return ask()
            except StorageError:
                if time.monotonic() > until:
                    raise
                time.sleep(_TELL)

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
        return words.replace(f"{home.resolve()}/", "").replace(f"{home}/", "")


_OUT_OF_MEMORY = (
    "The memory was not enough: the system ended the job's process. Use shorter rows, a smaller batch or a smaller "
    "model; what was saved is kept."
)
